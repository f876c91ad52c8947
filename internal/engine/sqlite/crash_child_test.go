package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"
	"golang.org/x/sync/errgroup"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

const (
	crashWriters = 8
	// slots is how many relationships of a register bear the same expiry.
	slots = 10
)

// What a writer does in one transaction, which is wholly there or not at all:
//
//	create <name>  makes a group, whose name ends with its size; by bulk load if it is large
//	delete <name>  unmakes such a group, and leaves a mark: tomb:<name>#mark@thing:0
//	touch  <n>     gives all slots of the writer's register the expiry n seconds after dawn
//
// Once it is committed, it says "ack <what> <name> <revision>".
type writer struct {
	store *sqlite.Datastore
	dice  *rand.Rand
	round int
	self  int

	done  int      // transactions so far
	value int      // of the register
	made  []string // groups that are there
}

// dawn is the expiry of a register of value 0: late enough for no register to expire.
var dawn = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// writeLoad opens a datastore and writes until somebody kills it.
func writeLoad(o order) error {
	fmt.Println("opening")
	store, err := sqlite.Open(context.Background(), sqlite.Config{Path: o.Path, GCWindow: o.GCWindow, GCInterval: o.GCInterval})
	if err != nil {
		return err
	}
	all, ctx := errgroup.WithContext(context.Background())
	for w := range crashWriters {
		one := &writer{store: store, dice: rand.New(rand.NewPCG(o.Seed, uint64(w))), round: o.Round, self: w}
		one.value = o.Round * 1_000_000
		all.Go(func() error {
			for {
				if err := one.step(ctx); err != nil {
					return err
				}
			}
		})
	}
	if o.Backup != "" {
		all.Go(func() error {
			for i := 0; ; i++ {
				if err := store.Backup(ctx, fmt.Sprintf("%s%d", o.Backup, i), nil); err != nil {
					return err
				}
			}
		})
	}
	return all.Wait()
}

func (w *writer) step(ctx context.Context) error {
	w.done++
	switch dice := w.dice.IntN(10); {
	case dice < 5 || len(w.made) == 0 && dice < 8:
		return w.create(ctx, 1+w.dice.IntN(20))
	case dice == 5:
		return w.create(ctx, 21+w.dice.IntN(180))
	case dice < 8:
		return w.remove(ctx)
	default:
		return w.touch(ctx)
	}
}

func (w *writer) create(ctx context.Context, n int) error {
	name := fmt.Sprintf("r%d-w%d-%d-n%d", w.round, w.self, w.done, n)
	updates := group("group", name, n)
	err := w.commit(ctx, "create "+name, func(ctx context.Context, tx datastore.ReadWriteTransaction) error {
		if n <= 20 {
			return tx.WriteRelationships(ctx, updates)
		}
		_, err := tx.BulkLoad(ctx, &handful{rest: updates})
		return err
	})
	w.made = append(w.made, name)
	return err
}

func (w *writer) remove(ctx context.Context) error {
	i := w.dice.IntN(len(w.made))
	name := w.made[i]
	w.made = append(w.made[:i], w.made[i+1:]...)
	return w.commit(ctx, "delete "+name, func(ctx context.Context, tx datastore.ReadWriteTransaction) error {
		mark := tuple.Create(tuple.MustParse("tomb:" + name + "#mark@thing:0"))
		if w.done%2 == 0 {
			_, _, err := tx.DeleteRelationships(ctx, &v1.RelationshipFilter{ResourceType: "group", OptionalResourceId: name})
			return errors.Join(err, tx.WriteRelationships(ctx, []tuple.RelationshipUpdate{mark}))
		}
		updates := group("group", name, size(name))
		for i := range updates {
			updates[i].Operation = tuple.UpdateOperationDelete
		}
		return tx.WriteRelationships(ctx, append(updates, mark))
	})
}

func (w *writer) touch(ctx context.Context) error {
	w.value++
	expiry := dawn.Add(time.Duration(w.value) * time.Second)
	updates := group("register", strconv.Itoa(w.self), slots)
	for i := range updates {
		updates[i].Relationship.OptionalExpiration = &expiry
	}
	return w.commit(ctx, fmt.Sprintf("touch %d/%d", w.self, w.value), func(ctx context.Context, tx datastore.ReadWriteTransaction) error {
		return tx.WriteRelationships(ctx, updates)
	})
}

func (w *writer) commit(ctx context.Context, what string, fn datastore.TxUserFunc) error {
	revision, err := w.store.ReadWriteTx(ctx, fn)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	_, err = fmt.Fprintf(os.Stdout, "ack %s %s\n", what, revision) // one call, one line: others write too
	return err
}

// size is the number at the end of a group's name.
func size(name string) int {
	n, err := strconv.Atoi(name[strings.LastIndexByte(name, 'n')+1:])
	if err != nil {
		panic(err)
	}
	return n
}

// handful hands a bulk load the relationships of updates.
type handful struct{ rest []tuple.RelationshipUpdate }

func (s *handful) Next(context.Context) (*tuple.Relationship, error) {
	if len(s.rest) == 0 {
		return nil, nil //nolint:nilnil // the interface's way to say the end
	}
	r := &s.rest[0].Relationship
	s.rest = s.rest[1:]
	return r, nil
}

// serveCommands does what its input says, line by line, and answers each with one line.
func serveCommands(o order) error {
	ctx := context.Background()
	var store *sqlite.Datastore
	answer := func(err error, rest ...any) {
		var locked *sqlite.LockedError
		switch {
		case errors.As(err, &locked):
			fmt.Println("locked", locked.PID)
		case err != nil:
			fmt.Println("error", strings.ReplaceAll(err.Error(), "\n", " "))
		default:
			fmt.Println(append([]any{"ok"}, rest...)...)
		}
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		words := strings.Fields(in.Text())
		switch words[0] {
		case "open":
			var err error
			store, err = sqlite.Open(ctx, sqlite.Config{Path: o.Path})
			answer(err, os.Getpid())
		case "write": // name size: a group
			n, err := strconv.Atoi(words[2])
			if err != nil {
				return err
			}
			revision, err := update(ctx, store, group("group", words[1], n)...)
			answer(err, revision)
		case "close":
			answer(store.Close())
		default:
			return fmt.Errorf("no command %q", words[0])
		}
	}
	return nil
}

// openOnly opens a datastore again and again, until somebody kills it.
func openOnly(o order) error {
	fmt.Println("opening")
	for {
		store, err := sqlite.Open(context.Background(), sqlite.Config{Path: o.Path})
		if err == nil {
			err = store.Close()
		}
		if err != nil {
			return err
		}
	}
}
