// Package indexed is Tenantry's index (internal/switcher) alone, in the benchmark's process, on a journal in memory.
package indexed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tenantry/tenantry/bench/internal/peer"
	"github.com/tenantry/tenantry/bench/internal/tree"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/switcher"
	"github.com/tenantry/tenantry/schema"
)

// System is an index that follows a journal.
type System struct {
	journal *journal
	index   *switcher.Index
	stop    context.CancelFunc
	ended   chan error
}

// New returns an index without content.
func New() *System { return &System{} }

// Load makes the journal.
func (s *System) Load(_ context.Context, w *tree.World) error {
	s.journal = newJournal(w)
	return nil
}

// patience is how long the index may take to load.
const patience = 2 * time.Minute

// Start makes the index from the journal.
func (s *System) Start(ctx context.Context) error {
	catalogue, err := schema.Default()
	if err != nil {
		return err
	}
	s.index, s.ended = switcher.New(s.journal, catalogue, switcher.Config{}), make(chan error, 1)
	s.index.Prove(true) // there is no engine here whose schema could be another
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	go func() { s.ended <- s.index.Run(running) }()
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		changed := s.index.Next(tree.Environment)
		_, err := s.index.Now(tree.Environment)
		if err == nil {
			return nil
		}
		select {
		case <-changed:
		case <-waiting.Done():
			return fmt.Errorf("the index does not come: %w", errors.Join(err, context.Cause(waiting), s.Stop()))
		}
	}
}

// Stop ends the index; the journal stays.
func (s *System) Stop() error {
	if s.stop == nil {
		return nil
	}
	s.stop()
	s.index, s.stop = nil, nil
	return <-s.ended
}

// Close forgets everything.
func (s *System) Close() error {
	err := s.Stop()
	s.journal = nil
	return err
}

// Processes returns none.
func (s *System) Processes() []int { return nil }

func who(user int) switcher.Subject {
	return switcher.Subject{Kind: switcher.User, ID: tree.UserID(user)}
}

// Check asks the newest view.
func (s *System) Check(_ context.Context, user, at int, p tree.Permission) (bool, error) {
	view, err := s.index.Now(tree.Environment)
	if err != nil {
		return false, err
	}
	allowed, known := view.Allowed(who(user), p.String(), account.ID(tree.AccountID(at)))
	if !known {
		return false, errors.New("the index does not know the permission")
	}
	return allowed, nil
}

// Page has rows with names, paths and sources, as the switcher shows them.
func (s *System) Page(_ context.Context, user int, query string) (peer.Page, error) {
	view, err := s.index.Now(tree.Environment)
	if err != nil {
		return peer.Page{}, err
	}
	found, _ := view.Page(switcher.Query{Who: who(user), Text: query, Sort: switcher.ByName, Limit: peer.PageSize})
	page := peer.Page{Total: found.Total, Accounts: make([]int32, len(found.Accounts))}
	for i := range found.Accounts {
		page.Accounts[i] = int32(tree.Number(string(found.Accounts[i].ID))) //nolint:gosec // some millions at most
	}
	return page, nil
}

// List has ids alone, in the order of the tree.
func (s *System) List(_ context.Context, user int) ([]int32, error) {
	view, err := s.index.Now(tree.Environment)
	if err != nil {
		return nil, err
	}
	found, _ := view.Page(switcher.Query{Who: who(user), Bare: true})
	all := make([]int32, len(found.IDs))
	for i, id := range found.IDs {
		all[i] = int32(tree.Number(string(id))) //nolint:gosec // some millions at most
	}
	return all, nil
}

// Put records the change and returns when the index has it.
func (s *System) Put(ctx context.Context, m tree.Membership) error {
	return s.await(ctx, s.journal.change(m, true))
}

// Remove is as Put.
func (s *System) Remove(ctx context.Context, m tree.Membership) error {
	return s.await(ctx, s.journal.change(m, false))
}

func (s *System) await(ctx context.Context, version account.Version) error {
	_, err := s.index.View(ctx, tree.Environment, version)
	return err
}
