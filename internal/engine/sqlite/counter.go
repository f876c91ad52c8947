package sqlite

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/authzed/spicedb/pkg/datastore"
	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	"google.golang.org/protobuf/proto"
)

// A counter's document is its count and the revision of the count, eight bytes each, and then
// the filter as a message. Revision 0 is none.
const counterHeader = 16

func encodeCounter(c datastore.RelationshipCounter) ([]byte, error) {
	at, _ := c.ComputedAtRevision.(Revision)                 // 0 where there is none
	b := binary.BigEndian.AppendUint64(nil, uint64(c.Count)) //nolint:gosec // a count is not negative
	b = binary.BigEndian.AppendUint64(b, uint64(at))         //nolint:gosec // nor is a revision
	return proto.MarshalOptions{Deterministic: true}.MarshalAppend(b, c.Filter)
}

func decodeCounter(d document) (datastore.RelationshipCounter, error) {
	if len(d.content) < counterHeader {
		return datastore.RelationshipCounter{}, fmt.Errorf("reading counter %q: %w", d.name, ErrCorrupt)
	}
	c := datastore.RelationshipCounter{
		Name: d.name, Filter: &core.RelationshipFilter{}, ComputedAtRevision: datastore.NoRevision,
		Count: int(binary.BigEndian.Uint64(d.content)), //nolint:gosec // see encodeCounter
	}
	if at := binary.BigEndian.Uint64(d.content[8:]); at != 0 {
		c.ComputedAtRevision = Revision(at) //nolint:gosec // see encodeCounter
	}
	return c, proto.Unmarshal(d.content[counterHeader:], c.Filter)
}

// LookupCounters reads all counters, by name.
func (r *reader) LookupCounters(ctx context.Context) ([]datastore.RelationshipCounter, error) {
	found, err := r.documents(ctx, counters, nil)
	if err != nil {
		return nil, err
	}
	out := make([]datastore.RelationshipCounter, 0, len(found))
	for _, d := range found {
		c, err := decodeCounter(d)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// counter reads a counter; a CounterNotRegisteredError if there is none.
func (r *reader) counter(ctx context.Context, name string) (datastore.RelationshipCounter, error) {
	found, err := r.documents(ctx, counters, &name)
	switch {
	case err != nil:
		return datastore.RelationshipCounter{}, err
	case len(found) == 0:
		return datastore.RelationshipCounter{}, datastore.NewCounterNotRegisteredErr(name)
	}
	return decodeCounter(found[0])
}

// CountRelationships counts the relationships that match a counter's filter, which reads them
// all; a CounterNotRegisteredError if there is no such counter.
func (r *reader) CountRelationships(ctx context.Context, name string) (int, error) {
	c, err := r.counter(ctx, name)
	if err != nil {
		return 0, err
	}
	filter, err := datastore.RelationshipsFilterFromCoreFilter(c.Filter)
	if err != nil {
		return 0, err
	}
	matching, err := r.QueryRelationships(ctx, filter)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, err := range matching {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// RegisterCounter makes a counter; a CounterAlreadyRegisteredError if there is one of that name.
func (tx *transaction) RegisterCounter(ctx context.Context, name string, filter *core.RelationshipFilter) error {
	switch _, err := tx.counter(ctx, name); {
	case err == nil:
		return datastore.NewCounterAlreadyRegisteredErr(name, filter)
	case !isNotRegistered(err):
		return err
	}
	return tx.putCounter(ctx, datastore.RelationshipCounter{Name: name, Filter: filter})
}

// UnregisterCounter deletes a counter; a CounterNotRegisteredError if there is none.
func (tx *transaction) UnregisterCounter(ctx context.Context, name string) error {
	return tx.do(ctx, func() error {
		found, err := tx.remove(counters, name)
		if err == nil && !found {
			err = datastore.NewCounterNotRegisteredErr(name)
		}
		return err
	})
}

// StoreCounterValue notes what a counter counted at a revision; a CounterNotRegisteredError if
// there is none.
func (tx *transaction) StoreCounterValue(ctx context.Context, name string, value int, computedAt datastore.Revision) error {
	c, err := tx.counter(ctx, name)
	if err != nil {
		return err
	}
	c.Count, c.ComputedAtRevision = value, computedAt
	return tx.putCounter(ctx, c)
}

func (tx *transaction) putCounter(ctx context.Context, c datastore.RelationshipCounter) error {
	content, err := encodeCounter(c)
	if err != nil {
		return err
	}
	return tx.do(ctx, func() error { return tx.put(counters, c.Name, content) })
}
