package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

// TestLife_EveryReadIsOfOneRevision has a writer replace a few relationships by others, all in
// one transaction, over and over, while readers look at the head and at revisions of before:
// each sees those of exactly one transaction, and of the right one.
func TestLife_EveryReadIsOfOneRevision(t *testing.T) {
	for name, c := range map[string]struct{ rows, turns int }{
		"within a page":   {6, sized(300, 100)},
		"over some pages": {sized(600, 300), sized(20, 5)},
	} {
		t.Run(name, func(t *testing.T) {
			path := fresh(t)
			d := running(t, sqlite.Config{Path: path, GCWindow: 300 * time.Millisecond, GCInterval: 20 * time.Millisecond})
			beside := running(t, sqlite.Config{Path: path, ReadOnly: true})
			every(t, c.rows, c.turns, d, beside)
		})
	}
}

func every(t *testing.T, rows, changes int, d, beside *sqlite.Datastore) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	turn := func(n int, op tuple.UpdateOperation) (updates []tuple.RelationshipUpdate) {
		for i := range rows {
			updates = append(updates, tuple.RelationshipUpdate{
				Operation: op, Relationship: tuple.MustParse(fmt.Sprintf("turn:%d#part@thing:%d", i, n)),
			})
		}
		return updates
	}
	made := []sqlite.Revision{mustUpdate(t, d, turn(0, tuple.UpdateOperationCreate)...).(sqlite.Revision)} // by turn

	reading, stop := context.WithCancel(ctx)
	var readers sync.WaitGroup
	defer readers.Wait()
	defer stop()
	const several = 4
	looks := make(chan []seen, several)
	for r := range several {
		from := d
		if r == several-1 {
			from = beside
		}
		readers.Go(func() {
			var all []seen
			defer func() { looks <- all }()
			for reading.Err() == nil {
				head, err := from.HeadRevision(ctx)
				if err != nil {
					t.Error(err)
					return
				}
				at := []datastore.Revision{head.Revision}
				if len(all) > 0 { // one of before, again
					at = append(at, all[len(all)/20*19].at)
				}
				for _, at := range at {
					found, err := oneTurn(ctx, from, at, rows)
					if err != nil {
						t.Error(err)
						return
					}
					if found != nil {
						all = append(all, *found)
					}
				}
			}
		})
	}
	for n := range changes {
		updates := append(turn(n, tuple.UpdateOperationDelete), turn(n+1, tuple.UpdateOperationTouch)...)
		made = append(made, mustUpdate(t, d, updates...).(sqlite.Revision))
	}
	stop()
	sum := 0
	for range several {
		all := <-looks
		sum += len(all)
		for _, s := range all {
			// Other revisions, which change nothing, may lie between the writer's.
			next := sort.Search(len(made), func(i int) bool { return made[i] > s.at })
			if s.turn != next-1 {
				t.Errorf("revision %d, which holds turn %d, was read as turn %d", s.at, next-1, s.turn)
			}
		}
	}
	t.Logf("%d looks at %d turns", sum, len(made))
}

// seen is what a reader found at a revision.
type seen struct {
	at   sqlite.Revision
	turn int
}

// oneTurn expects all relationships of one turn at a revision; nil if that was collected.
func oneTurn(ctx context.Context, d *sqlite.Datastore, at datastore.Revision, rows int) (*seen, error) {
	found := map[string]int{}
	err := each(ctx, d, at, "turn", func(r tuple.Relationship) { found[r.Subject.ObjectID]++ })
	if _, collected := errors.AsType[datastore.InvalidRevisionError](err); collected {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("at %s: %w", at, err)
	}
	for turn, n := range found {
		if n == rows && len(found) == 1 {
			number, err := strconv.Atoi(turn)
			return &seen{at: at.(sqlite.Revision), turn: number}, err
		}
	}
	return nil, fmt.Errorf("at revision %s, a reader finds so many relationships of each turn: %v; want %d of one", at, found, rows)
}
