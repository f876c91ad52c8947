package plan

import (
	"errors"
	"os"
	"path/filepath"
	"time"
)

// fsync measures the disk, in the folder where the stores are.
func (r *run) fsync() error {
	f, err := os.Create(filepath.Join(r.dir, "fsync"))
	if err != nil {
		return err
	}
	block := make([]byte, 4096)
	for range 100 {
		start := time.Now()
		if _, err = f.Write(block); err == nil {
			err = f.Sync()
		}
		if err != nil {
			break
		}
		r.result.Fsync = append(r.result.Fsync, time.Since(start))
	}
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}
