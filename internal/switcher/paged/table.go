package paged

// Table finds numbers by what they stand for: a hash table of numbers, whose
// hashes and keys the caller knows. The zero value is empty.
type Table struct {
	cells Array[uint32] // the number plus one; 0 is free
	used  int
}

// Len is how many numbers are in the table.
func (t Table) Len() int { return t.used }

// Find returns the number of which is holds, among those with the hash.
func (t Table) Find(hash uint64, is func(uint32) bool) (uint32, bool) {
	n := uint64(t.cells.Len()) //nolint:gosec // G115: a length
	if n == 0 {
		return 0, false
	}
	for i := hash & (n - 1); ; i = (i + 1) & (n - 1) {
		cell := t.cells.At(uint32(i)) //nolint:gosec // G115: less than the length
		if cell == 0 {
			return 0, false
		}
		if is(cell - 1) {
			return cell - 1, true
		}
	}
}

// Add puts a number into the table that is not in it; hashOf tells the hash of any that is.
func (t *Table) Add(e *Edit, number uint32, hashOf func(uint32) uint64) {
	if 4*(t.used+1) > 3*t.cells.Len() {
		t.grow(e, 2*t.cells.Len(), hashOf)
	}
	t.put(e, number, hashOf(number))
	t.used++
}

// Reserve makes room for as many numbers in all as are about to be added.
func (t *Table) Reserve(e *Edit, numbers int, hashOf func(uint32) uint64) {
	if 4*numbers > 3*t.cells.Len() {
		t.grow(e, numbers*4/3+1, hashOf)
	}
}

// grow makes a table of at least n cells: a power of two.
func (t *Table) grow(e *Edit, n int, hashOf func(uint32) uint64) {
	length := size
	for length < n {
		length *= 2
	}
	before := t.cells
	t.cells = Array[uint32]{root: &root[uint32]{by: e}, length: length}
	for range length >> bits {
		t.cells.root.pages = append(t.cells.root.pages, &page[uint32]{by: e})
	}
	for i := range uint32(before.Len()) { //nolint:gosec // G115: a length
		if cell := before.At(i); cell != 0 {
			t.put(e, cell-1, hashOf(cell-1))
		}
	}
}

func (t *Table) put(e *Edit, number uint32, hash uint64) {
	n := uint64(t.cells.Len()) //nolint:gosec // G115: a length
	i := hash & (n - 1)
	for t.cells.At(uint32(i)) != 0 { //nolint:gosec // G115: less than the length
		i = (i + 1) & (n - 1)
	}
	t.cells.Set(e, uint32(i), number+1) //nolint:gosec // G115: less than the length
}

// Remove takes a number out of the table; hashOf tells the hash of any that is in it.
func (t *Table) Remove(e *Edit, number uint32, hashOf func(uint32) uint64) {
	n := uint32(t.cells.Len()) //nolint:gosec // G115: a length
	if n == 0 {
		return
	}
	home := func(number uint32) uint32 { return uint32(hashOf(number)) & (n - 1) } //nolint:gosec // G115: only the low bits count
	i := home(number)
	for t.cells.At(i) != number+1 {
		if t.cells.At(i) == 0 {
			return
		}
		i = (i + 1) & (n - 1)
	}
	t.used--
	// What follows moves up, unless it would come before its home.
	for free, next := i, (i+1)&(n-1); ; next = (next + 1) & (n - 1) {
		cell := t.cells.At(next)
		if cell == 0 {
			t.cells.Set(e, free, 0)
			return
		}
		if (next-home(cell-1))&(n-1) >= (next-free)&(n-1) {
			t.cells.Set(e, free, cell)
			free = next
		}
	}
}
