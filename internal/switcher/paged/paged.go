// Package paged holds arrays, tables of identifiers and texts of which every published version stays as it was while the next is made: readers take no locks.
//
// One writer makes versions one after the other. What it changes within one Edit
// is copied once, page by page; a value of one of the types, copied when the
// edit is over, is the version: it may be read by any number of goroutines
// while the writer goes on with a new Edit. Pages hold no pointers unless the
// items do, so that large arrays cost the garbage collector nothing.
package paged

// Edit is the making of one version: pages made by an edit are changed in
// place by it, pages of others are copied first.
type Edit struct{ _ byte } // not of size zero: each has an address of its own

const (
	bits = 9
	size = 1 << bits // items of a page
	mask = size - 1
)

// Array is a growing array; the zero value is empty. Its items are numbered from 0.
type Array[T any] struct {
	root   *root[T]
	length int
}

type root[T any] struct {
	by    *Edit
	pages []*page[T]
}

type page[T any] struct {
	by    *Edit
	items [size]T
}

// Len is the number of items.
func (a Array[T]) Len() int { return a.length }

// At returns item i, which must be there.
func (a Array[T]) At(i uint32) T { return a.root.pages[i>>bits].items[i&mask] }

// Set changes item i, which must be there.
func (a *Array[T]) Set(e *Edit, i uint32, v T) { *a.Ref(e, i) = v }

// Ref returns item i, which must be there, to be changed within the edit.
func (a *Array[T]) Ref(e *Edit, i uint32) *T {
	a.own(e)
	p := a.root.pages[i>>bits]
	if p.by != e {
		p = &page[T]{by: e, items: p.items}
		a.root.pages[i>>bits] = p
	}
	return &p.items[i&mask]
}

// Add puts an item at the end, and returns its number.
func (a *Array[T]) Add(e *Edit, v T) uint32 {
	a.own(e)
	i := uint32(a.length) //nolint:gosec // G115: arrays of this process's memory are shorter
	if i&mask == 0 {
		a.root.pages = append(a.root.pages, &page[T]{by: e})
	}
	a.length++
	a.Set(e, i, v)
	return i
}

// own makes the root one of the edit.
func (a *Array[T]) own(e *Edit) {
	switch {
	case a.root == nil:
		a.root = &root[T]{by: e}
	case a.root.by != e:
		a.root = &root[T]{by: e, pages: append(make([]*page[T], 0, len(a.root.pages)+1), a.root.pages...)}
	}
}
