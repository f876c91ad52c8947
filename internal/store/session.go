package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tenantry/tenantry/internal/fault"
)

// session runs statements: in one transaction, or each by itself.
type session struct {
	dialect *dialect
	run     interface {
		ExecContext(ctx context.Context, statement string, args ...any) (sql.Result, error)
		QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error)
	}
	lost bool // a statement lost a race: the transaction must be run again
}

// row is what a scan function reads a row of an answer from.
type row interface{ Scan(into ...any) error }

// list returns the rows of an answer.
func list[T any](ctx context.Context, s *session, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	var out []T
	err := s.each(ctx, func(r row) error {
		v, err := scan(r)
		if err != nil {
			return s.fail(ctx, err)
		}
		out = append(out, v)
		return nil
	}, query, args...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// stream calls fn for every row of an answer, once it is scanned. fn must not use the session; its errors come back as they are.
func stream(ctx context.Context, s *session, fn func() error, into []any, query string, args ...any) error {
	return s.each(ctx, func(r row) error {
		if err := r.Scan(into...); err != nil {
			return s.fail(ctx, err)
		}
		return fn()
	}, query, args...)
}

// each calls fn for every row of an answer; its errors come back as they are.
func (s *session) each(ctx context.Context, fn func(row) error, query string, args ...any) (err error) {
	rows, err := s.run.QueryContext(ctx, s.dialect.sql(query), args...)
	if err != nil {
		return s.fail(ctx, err)
	}
	defer func() {
		if closeErr := rows.Close(); err == nil && closeErr != nil {
			err = s.fail(ctx, closeErr)
		}
	}()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return s.fail(ctx, rows.Err())
}

// one returns the first row of an answer, or the error missing if there is none.
func one[T any](ctx context.Context, s *session, missing error, scan func(row) (T, error), query string, args ...any) (T, error) {
	all, err := list(ctx, s, scan, query, args...)
	if err == nil && len(all) == 0 {
		err = missing
	}
	if err != nil || len(all) == 0 {
		var none T
		return none, err
	}
	return all[0], nil
}

// exec runs a statement and returns how many rows it changed.
func (s *session) exec(ctx context.Context, statement string, args ...any) (int, error) {
	result, err := s.run.ExecContext(ctx, s.dialect.sql(statement), args...)
	if err != nil {
		return 0, s.fail(ctx, err)
	}
	n, err := result.RowsAffected()
	return int(n), s.fail(ctx, err)
}

// fail turns an error of the database into what the package promises. The
// original stays its cause. A lost race is noted, for the transaction to be run again.
func (s *session) fail(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		return fmt.Errorf("store: %w: %w", ended, err)
	}
	switch s.dialect.classify(err) {
	case lostRace:
		s.lost = true
		return unavailable(err)
	case away:
		if ctx.Err() == nil {
			return unavailable(err)
		}
		return fmt.Errorf("store: %w", err)
	default:
		return fmt.Errorf("store: %w", err)
	}
}

func unavailable(cause error) error {
	return fault.New(fault.Unavailable, "database_unavailable", "the directory's database is not available just now; try again").Because(cause)
}

// scanValue scans a row of one column.
func scanValue[T any](r row) (v T, err error) {
	err = r.Scan(&v)
	return v, err
}

// jsonOf returns v as the JSON that a parameter takes; v holds nothing that JSON cannot.
func jsonOf(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("store: %w", err)
	}
	return string(text), nil
}

// Times are kept as microseconds since 1970, UTC.

func timeOf(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

func timeOrNil(micros sql.NullInt64) *time.Time {
	if !micros.Valid {
		return nil
	}
	t := timeOf(micros.Int64)
	return &t
}
