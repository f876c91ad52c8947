// Package memo remembers what was read, for as long as nobody has changed what it was read from.
package memo

import (
	"context"
	"sync"
)

// Mark names a state of what is read. A greater one is of a later state, and an equal one of the same: nothing
// has changed between two calls that gave the same Mark. The zero Mark names no state.
type Mark uint64

// Marking tells whether something has changed; store.DB does, of itself.
type Marking interface {
	// Mark names the state as it is when it is called; 0 if there is no telling.
	Mark() Mark
}

type markKey struct{}

// At has all that is read with the context be as fresh as the mark of now, which is taken once for all of it. It is
// for what is read at once: what happens after is not seen by who goes on with this context. from may be nil.
func At(ctx context.Context, from Marking) context.Context {
	if from == nil {
		return ctx
	}
	return context.WithValue(ctx, markKey{}, from.Mark())
}

// For is the mark that At took for the context, or one of now if it took none. from may be nil: then there is none.
func For(ctx context.Context, from Marking) Mark {
	if at, ok := ctx.Value(markKey{}).(Mark); ok {
		return at
	}
	if from == nil {
		return 0
	}
	return from.Mark()
}

// Memory remembers values by key that were read at one mark. A value is to be read after the mark was taken that it is
// remembered at, and is good for who has taken an equal mark since: it is then what would be read. The zero
// Memory remembers nothing. It is safe for concurrent use.
type Memory[K comparable, V any] struct {
	most int

	mu     sync.Mutex
	at     Mark
	values map[K]V
}

// New returns a Memory of a number of values at most. When there are more, all are forgotten.
func New[K comparable, V any](most int) *Memory[K, V] {
	return &Memory[K, V]{most: most, values: map[K]V{}}
}

// Get returns the value that was read under a key, if it is still what would be read at the mark.
func (m *Memory[K, V]) Get(at Mark, key K) (v V, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at == 0 || at != m.at {
		return v, false
	}
	v, ok = m.values[key]
	return v, ok
}

// Put remembers a value that was read after the mark was taken, and forgets those of earlier marks.
func (m *Memory[K, V]) Put(at Mark, key K, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at == 0 || at < m.at || m.most == 0 {
		return
	}
	_, known := m.values[key]
	if at > m.at || !known && len(m.values) >= m.most {
		m.values = map[K]V{} // never the same again: a map that was large once stays large
	}
	m.at, m.values[key] = at, v
}
