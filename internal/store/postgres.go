package store

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// briefConnections is how many connections there are for short writes beside those of Config.Connections.
const briefConnections = 4

// openPostgres opens three pools of connections to a PostgreSQL server. Writers
// wait for their environment's lock with a connection in hand; readers, and
// writes that take no such lock, have theirs apart, so that they always get one.
func openPostgres(dsn string, cfg Config) (*DB, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, invalidDSN("the address of the PostgreSQL database cannot be understood").Because(err)
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "tenantry"
	}
	pool := func(connections int) *sql.DB {
		p := stdlib.OpenDB(*config)
		p.SetMaxOpenConns(connections)
		p.SetMaxIdleConns(connections)
		p.SetConnMaxIdleTime(5 * time.Minute)
		return p
	}
	return &DB{
		dialect: postgresDialect(), writer: pool(cfg.Connections), reader: pool(cfg.Connections), brief: pool(briefConnections), now: cfg.Now,
	}, nil
}

func postgresDialect() *dialect {
	return &dialect{
		words: strings.NewReplacer(
			"@rows(?)", "json_array_elements(CAST(? AS JSON))",
			"@texts(?)", "json_array_elements_text(CAST(? AS JSON))",
			"@position", "strpos"),
		numbered:   true,
		lock:       " FOR NO KEY UPDATE", // other writers wait; rows that refer to the environment may still be added
		skipLocked: " FOR UPDATE SKIP LOCKED",
		reading:    &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
		classify:   classifyPostgres,
	}
}

// classifyPostgres knows the codes of PostgreSQL's appendix A, and the errors of a connection that is gone.
func classifyPostgres(err error) failure {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		if isConnectionLost(err) {
			return away
		}
		return otherFailure
	}
	switch {
	case e.Code == "40001", e.Code == "40P01": // serialization failure, deadlock
		return lostRace
	case e.Code == "23505" && strings.HasSuffix(e.ConstraintName, "_pkey"):
		return takenKey
	case e.Code == "23505":
		return takenValue
	case strings.HasPrefix(e.Code, "08"), // connection exception
		strings.HasPrefix(e.Code, "53"),  // insufficient resources
		strings.HasPrefix(e.Code, "57P"), // shut down, crashed, starting up
		e.Code == "25006":                // read only: a standby that is not promoted yet
		return away
	}
	return otherFailure
}

func isConnectionLost(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}
