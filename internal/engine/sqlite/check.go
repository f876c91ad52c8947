package sqlite

import (
	"context"
	"fmt"
	"time"

	sqlite3 "zombiezen.com/go/sqlite"
)

// checkAfterCrash checks the file, since the last process did not close it. If that takes long,
// the check goes on while the datastore is used, and ends its use if it finds damage. ErrCorrupt.
//
// SQLite recovers by itself from what a crash leaves; the check is for disks and machines that do
// not keep what they promise.
func (d *Datastore) checkAfterCrash(ctx context.Context) error {
	d.cfg.Log.Info("the last process did not close the database file; checking it", "file", d.cfg.Path)
	result := make(chan error, 1)
	if !d.spawn(func() {
		began := time.Now()
		err := d.check()
		if err == nil {
			d.cfg.Log.Info("the database file is sound", "file", d.cfg.Path, "took", time.Since(began).Round(time.Millisecond))
		} else if d.usable() == nil {
			d.breakDown(err)
		}
		result <- err
	}) {
		return ErrClosed
	}
	wait := time.NewTimer(d.cfg.CheckWait)
	defer wait.Stop()
	select {
	case err := <-result:
		return err
	case <-wait.C:
		d.cfg.Log.Info("the check of the database file goes on in the background")
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

// check looks for damage on a connection of its own.
func (d *Datastore) check() error {
	c, err := open(d.cfg.Path, sqlite3.OpenReadWrite, d.closing, "query_only = ON")
	if err != nil {
		return err
	}
	err = integrity(c)
	if closing := c.Close(); err == nil {
		err = closing
	}
	return err
}

// integrity is ErrCorrupt, with the first finding, if the file is damaged.
func integrity(c *conn) error {
	return c.query("PRAGMA integrity_check(1)", func(s *sqlite3.Stmt) error {
		if said := s.ColumnText(0); said != "ok" {
			return fmt.Errorf("%w: %s", ErrCorrupt, said)
		}
		return nil
	})
}
