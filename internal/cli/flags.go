package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
)

// fromEnvironment gives each flag that was not set the value of its environment variable: --engine-key is TENANTRY_ENGINE_KEY.
func fromEnvironment(cmd *cobra.Command) error {
	var failures []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := "TENANTRY_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := os.LookupEnv(name)
		if !ok || value == "" || f.Changed || f.Name == "help" {
			return
		}
		if err := cmd.Flags().Set(f.Name, value); err != nil {
			failures = append(failures, usage{fmt.Errorf("%s: %w", name, err)})
		}
	})
	return errors.Join(failures...)
}

// deployment are the flags that say where things are.
type deployment struct {
	cfg       app.Config
	logFormat string
	logLevel  string
	mayCreate bool // the database, if it is not there
}

func (d *deployment) register(flags *pflag.FlagSet) {
	flags.StringVar(&d.cfg.DataDir, "data", "tenantry-data", "folder for the files of the one-machine shape: directory.db and engine.db")
	flags.StringVar(&d.cfg.Database, "database", "", "database of the directory: a postgres:// URL or an SQLite file (default: directory.db in --data)")
	flags.StringVar(&d.cfg.Remote.Address, "engine", "", "address of the SpiceDB to use, host:port (default: embedded in this process, on engine.db in --data)")
	flags.StringVar(&d.cfg.Remote.Key, "engine-key", "", "pre-shared key of that SpiceDB; better given as TENANTRY_ENGINE_KEY")
	flags.StringVar(&d.cfg.Remote.CAFile, "engine-ca", "", "PEM file with the authorities to trust for that SpiceDB (default: the system's)")
	flags.BoolVar(&d.cfg.Remote.Insecure, "engine-plaintext", false, "talk to that SpiceDB without TLS")
	flags.BoolVar(&d.cfg.ApplySchema, "apply-schema", false, "replace the engine's schema if it is another, as after an upgrade or a change of --permissions or --definitions")
	flags.StringSliceVar(&d.cfg.Permissions, "permissions", nil, "files with permissions of the application, in the form of schema/permissions.yaml")
	flags.StringSliceVar(&d.cfg.Definitions, "definitions", nil, "files with SpiceDB definitions of the application")
	d.registerLog(flags)
}

// flags are the flags given that say where the data is, to be repeated; a database's address may hold a password.
func (d *deployment) flags(cmd *cobra.Command) (given string) {
	if cmd.Flags().Changed("data") {
		given += " --data " + d.cfg.DataDir
	}
	if cmd.Flags().Changed("database") {
		given += " --database …"
	}
	return given
}

func (d *deployment) registerLog(flags *pflag.FlagSet) {
	flags.StringVar(&d.logFormat, "log-format", "text", "text or json")
	flags.StringVar(&d.logLevel, "log-level", "info", "debug, info, warn or error")
}

// config returns the configuration, logging to standard error.
func (d *deployment) config(c *console) (app.Config, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(d.logLevel)); err != nil {
		return app.Config{}, usage{fmt.Errorf("--log-level: %s is not debug, info, warn or error", account.Quote(d.logLevel))}
	}
	opts := &slog.HandlerOptions{Level: level}
	cfg := d.cfg
	cfg.MustExist = !d.mayCreate
	switch d.logFormat {
	case "text":
		cfg.Log = slog.New(slog.NewTextHandler(c.err, opts))
	case "json":
		cfg.Log = slog.New(slog.NewJSONHandler(c.err, opts))
	default:
		return app.Config{}, usage{fmt.Errorf("--log-format: %s is not text or json", account.Quote(d.logFormat))}
	}
	return cfg, nil
}

// quietly is for commands that do one thing: only warnings are logged, unless another level was asked for.
func (d *deployment) quietly(cmd *cobra.Command) {
	if !cmd.Flags().Changed("log-level") { // by the environment neither: see fromEnvironment
		d.logLevel = slog.LevelWarn.String()
	}
}

// directoryOnly opens the directory, calls fn, and closes it.
func (d *deployment) directoryOnly(ctx context.Context, c *console, fn func(*app.App) error) error {
	return d.with(ctx, c, app.OpenDirectory, fn)
}

// whole opens directory and engine, beside a server or without one, waits until
// all that is recorded is in force, calls fn, and closes them.
func (d *deployment) whole(ctx context.Context, c *console, fn func(*app.App) error) error {
	const patience = 10 * time.Minute
	return d.with(ctx, c, inForce(patience), fn)
}

// inForce opens directory and engine, beside a server or without one, and waits
// until all that is recorded is in force, no longer than patience for somebody else to do it.
func inForce(patience time.Duration) func(context.Context, app.Config) (*app.App, error) {
	return func(ctx context.Context, cfg app.Config) (*app.App, error) {
		cfg.Beside, cfg.WithoutIndex = true, true // for a few questions it is not worth loading
		return app.OpenInForce(ctx, cfg, patience)
	}
}

func (d *deployment) with(ctx context.Context, c *console, open func(context.Context, app.Config) (*app.App, error), fn func(*app.App) error) error {
	cfg, err := d.config(c)
	if err != nil {
		return err
	}
	cfg.OnBuild = c.filling()
	a, err := open(ctx, cfg)
	if err != nil {
		return err
	}
	return errors.Join(fn(a), a.Close())
}

// filling shows how far the filling of an engine has come.
func (c *console) filling() func(env account.EnvironmentID, done, total int) {
	bar := c.bar("filling the engine")
	return func(env account.EnvironmentID, done, total int) { bar.at(string(env), done, total) }
}

func environmentFlag(cmd *cobra.Command, into *account.EnvironmentID) {
	cmd.Flags().StringVarP((*string)(into), "environment", "e", "production", "environment")
}

// system is the operator at this command line.
func system(env account.EnvironmentID) account.Actor {
	return account.Actor{Environment: env, System: true}
}
