package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// prepared runs statements that are asked all the time, and are few: each connection prepares each of them once. On
// SQLite that takes most of the time of a small query; pgx does so by itself. It is safe for concurrent use.
type prepared struct {
	*sql.DB
	mu     sync.Mutex
	byText map[string]*sql.Stmt
}

func newPrepared(db *sql.DB) *prepared { return &prepared{DB: db, byText: map[string]*sql.Stmt{}} }

// QueryContext runs a statement that is one of few.
func (p *prepared) QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error) {
	s, err := p.statement(ctx, statement) //nolint:sqlclosecheck // it is kept, until Close
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

func (p *prepared) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	p.mu.Lock()
	known := p.byText[text]
	p.mu.Unlock()
	if known != nil {
		return known, nil
	}
	fresh, err := p.PrepareContext(ctx, text) // without the lock: it waits for a connection
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.byText[text]; known != nil { // another was faster
		return known, fresh.Close() //nolint:sqlclosecheck // the one that is kept goes on
	}
	p.byText[text] = fresh
	return fresh, nil
}

// Close ends the statements, not the DB.
func (p *prepared) Close() (err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for text, s := range p.byText {
		err = errors.Join(err, s.Close())
		delete(p.byText, text)
	}
	return err
}
