// Package app puts the parts of Tenantry together, and starts and stops them in order. The command line and the end-to-end tests use the same value.
package app

import (
	"cmp"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/relay"
	"github.com/tenantry/tenantry/internal/schemacheck"
	"github.com/tenantry/tenantry/internal/store"
	"github.com/tenantry/tenantry/schema"
)

// Config says what an App is made of. The zero value is the one-machine shape in ./tenantry-data.
type Config struct {
	DataDir  string // where the files of the one-machine shape are: directory.db, engine.db; "tenantry-data" if empty
	Database string // of the directory: a postgres:// URL or a file; DataDir/directory.db if empty
	// LookOnly leaves a remote engine as it is: its schema is not written, and no entries are applied.
	LookOnly bool
	// Beside works beside another process that has the embedded engine open: it only looks at the
	// engine, and leaves it to that process to bring entries into force. Otherwise that is a
	// Conflict fault (engine_in_use).
	Beside bool
	// EngineWait is how long to wait for another process to let go of the embedded engine; 0 is not at all.
	EngineWait time.Duration
	// EnginePages is the most pages that the embedded engine's file may have, as if the disk were full then; 0 is no limit.
	EnginePages int64

	// MustExist refuses a file that is not there (Invalid, database_missing), rather than create it.
	MustExist bool

	// Remote is the SpiceDB to use; the embedded one, in DataDir, if its Address is empty.
	Remote engine.RemoteConfig
	// ApplySchema replaces the schema of an engine that has another one, unless that would orphan
	// relationships or take away parts of Tenantry's own definitions. Otherwise another schema is an
	// error, save on an embedded engine from whose schema nothing would be taken away.
	ApplySchema bool

	// PublicURL is the address at which this deployment is known: tokens are issued in its name,
	// and its metadata names it, whatever Host a request has. All servers of a deployment have
	// the same. If it is empty, the address on this machine that Serve listens on.
	PublicURL string

	// KeyAge is how old the newest signing key of an environment is when the next one is made; 30 days if 0.
	KeyAge time.Duration

	// InsecureIssuers takes OpenID providers on this machine, and without TLS there: for development and tests.
	InsecureIssuers bool

	// Mail says where letters go; none are sent if it is zero.
	Mail mail.Config

	// WithoutIndex answers everything by the engine, and keeps nothing of it in memory.
	WithoutIndex bool
	// SampleEvery is how often index and engine are compared; 10 s if 0.
	SampleEvery time.Duration
	// ProveEvery is how often the engine's schema is compared with the one that the index implements; 5 s if 0.
	ProveEvery time.Duration

	Permissions []string // files with an application's permissions
	Definitions []string // files with an application's definitions

	ApplyWait      time.Duration // how long a write waits to be in force; 5 s if 0
	FreshWait      time.Duration // how long a question waits for the version it asks for; 2 s if 0
	RequestTimeout time.Duration // of an HTTP request; 30 s if 0
	Grace          time.Duration // for requests under way at shutdown; 10 s if 0
	TakeOver       time.Duration // when another process's unfinished write counts as given up; the relay's if 0

	Transport Transport // how callers come in

	// MetricsListener is where Serve answers /metrics, and nothing else; nil is on the listener of the API.
	MetricsListener net.Listener

	Log      *slog.Logger         // slog.Default() if nil
	Registry *prometheus.Registry // a new one if nil
	Now      func() time.Time     // time.Now if nil

	// OnStep and OnBuild are the relay's: failure tests and progress bars.
	OnStep  func(relay.Step, account.Version)
	OnBuild func(env account.EnvironmentID, done, total int)
}

const defaultDataDir = "tenantry-data"

func (c Config) withDefaults() Config {
	c.DataDir = cmp.Or(c.DataDir, defaultDataDir)
	c.Database = c.DatabaseName()
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Registry == nil {
		c.Registry = prometheus.NewRegistry()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.RequestTimeout == 0 {
		c.RequestTimeout = 30 * time.Second
	}
	if c.Grace == 0 {
		c.Grace = 10 * time.Second
	}
	return c
}

// DatabaseName is the directory's database, named or by default.
func (c Config) DatabaseName() string {
	if c.Database != "" {
		return c.Database
	}
	return filepath.Join(cmp.Or(c.DataDir, defaultDataDir), "directory.db")
}

func (c Config) store() store.Config {
	return store.Config{Now: c.Now, MustExist: c.MustExist}
}

// EngineFile is the file of the embedded engine.
func (c Config) EngineFile() string {
	return filepath.Join(cmp.Or(c.DataDir, defaultDataDir), "engine.db")
}

// Embedded reports whether SpiceDB runs in this process.
func (c Config) Embedded() bool { return c.Remote.Address == "" }

// model is the permission model of a deployment: catalogue and schema.
func (c Config) model() (*schema.Catalogue, string, error) {
	permissions, err := Sources(c.Permissions)
	if err != nil {
		return nil, "", err
	}
	definitions, err := Sources(c.Definitions)
	if err != nil {
		return nil, "", err
	}
	catalogue, err := schema.Parse(permissions...)
	if err != nil {
		return nil, "", err
	}
	if len(permissions)+len(definitions) == 0 {
		return catalogue, schema.Built(), nil
	}
	text, err := schemacheck.Build(catalogue, definitions...)
	return catalogue, text, err
}

// Sources reads files for the permission model; Invalid faults (unreadable_file).
func Sources(paths []string) ([]schema.Source, error) {
	out := make([]schema.Source, 0, len(paths))
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fault.New(fault.Invalid, "unreadable_file", "cannot read %s", path).Because(err)
		}
		out = append(out, schema.Source{Name: path, Text: text})
	}
	return out, nil
}
