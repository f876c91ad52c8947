package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tenantry/tenantry/internal/app"
)

func (c *console) backupCommand() *cobra.Command {
	var d deployment
	cmd := &cobra.Command{
		Use:   "backup DIR",
		Short: "Copy directory and engine into a new folder, while a server runs or not",
		Long: `Backup copies the databases of the one-machine shape, directory.db and engine.db,
into a new folder, with a manifest of what they hold. A server may go on writing
meanwhile. The folder has its name only once everything in it is on the disk.

A directory in PostgreSQL, or a SpiceDB elsewhere, is backed up with its own tools.`,
		Example: "  tenantry backup /backups/$(date +%F)",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d.quietly(cmd)
			cfg, err := d.config(c)
			if err != nil {
				return err
			}
			m, err := app.Backup(cmd.Context(), cfg, args[0], c.bars())
			if err != nil {
				return err
			}
			fmt.Fprintf(c.out, "backed up to %s\n", args[0])
			return c.manifest(m)
		},
	}
	d.register(cmd.Flags())
	return cmd
}

func (c *console) restoreCommand() *cobra.Command {
	var d deployment
	cmd := &cobra.Command{
		Use:   "restore DIR",
		Short: "Put a backup in place where there are no databases yet",
		Long: `Restore checks every file of a backup against its manifest and puts it into --data.
It replaces nothing: where there are databases already it refuses. Whatever the
time that it is broken off, it leaves nothing that is only half there.`,
		Example: "  tenantry restore /backups/2035-01-31 --data tenantry-data",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d.quietly(cmd)
			cfg, err := d.config(c)
			if err != nil {
				return err
			}
			m, err := app.Restore(cmd.Context(), cfg, args[0], c.bars())
			if err != nil {
				return err
			}
			fmt.Fprintf(c.out, "restored the backup of %s to %s\n", m.Created.Format("2006-01-02 15:04:05 MST"), d.cfg.DataDir)
			if err := c.manifest(m); err != nil {
				return err
			}
			fmt.Fprintf(c.out, "Start it with tenantry serve --data %s\n", d.cfg.DataDir)
			return nil
		},
	}
	d.register(cmd.Flags())
	return cmd
}

// manifest prints what a backup holds.
func (c *console) manifest(m app.Manifest) error {
	var errs []error
	for _, e := range m.Environments {
		_, err := fmt.Fprintf(c.out, "environment %s at version %d\n", e.ID, e.Version)
		errs = append(errs, err)
	}
	if !slices.ContainsFunc(m.Files, func(f app.BackupFile) bool { return f.Name == "engine.db" }) {
		_, err := io.WriteString(c.out, "without an engine, which there was none of; the next start fills one\n")
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// bars returns progress bars, one after the other, for the parts of a task.
func (c *console) bars() app.Progress {
	bars := map[string]*progress{}
	return func(part string, done, total int) {
		if bars[part] == nil {
			bars[part] = c.bar(part)
		}
		bars[part].at(part, done, total)
	}
}
