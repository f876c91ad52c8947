package paged

// Table finds numbers by what they stand for: a hash table of numbers, whose
// hashes and keys the caller knows. The zero value is empty.
type Table struct {
	cells Array[cell]
	used  int
}

// cell has the number plus one in its low half, and the low half of the hash in the other; 0 is free.
// The hash in it spares looking the key up of what is beside, which is where tables spend their time.
type cell uint64

func cellOf(number uint32, hash uint64) cell { return cell(hash<<32 | uint64(number+1)) }

func (c cell) number() uint32 { return uint32(c) - 1 } //nolint:gosec // G115: the low half

func (c cell) hash() uint64 { return uint64(c >> 32) }

// Len is how many numbers are in the table.
func (t Table) Len() int { return t.used }

// Find returns the number of which is holds, among those with the hash.
func (t Table) Find(hash uint64, is func(uint32) bool) (uint32, bool) {
	n := uint64(t.cells.Len()) //nolint:gosec // G115: a length
	if n == 0 {
		return 0, false
	}
	for i := hash & (n - 1); ; i = (i + 1) & (n - 1) {
		c := t.cells.At(uint32(i)) //nolint:gosec // G115: less than the length
		if c == 0 {
			return 0, false
		}
		if c>>32 == cell(hash&(1<<32-1)) && is(c.number()) {
			return c.number(), true
		}
	}
}

// Add puts a number with a hash into the table that is not in it.
func (t *Table) Add(e *Edit, number uint32, hash uint64) {
	if 4*(t.used+1) > 3*t.cells.Len() {
		t.grow(e, 2*t.cells.Len())
	}
	t.put(e, cellOf(number, hash))
	t.used++
}

// grow makes a table of at least n cells: a power of two.
func (t *Table) grow(e *Edit, n int) {
	length := size
	for length < n {
		length *= 2
	}
	before := t.cells
	t.cells = Array[cell]{root: &root[cell]{by: e}, length: length}
	for range length >> bits {
		t.cells.root.pages = append(t.cells.root.pages, &page[cell]{by: e})
	}
	for i := range uint32(before.Len()) { //nolint:gosec // G115: a length
		if c := before.At(i); c != 0 {
			t.put(e, c)
		}
	}
}

func (t *Table) put(e *Edit, c cell) {
	n := uint64(t.cells.Len()) //nolint:gosec // G115: a length
	i := c.hash() & (n - 1)
	for t.cells.At(uint32(i)) != 0 { //nolint:gosec // G115: less than the length
		i = (i + 1) & (n - 1)
	}
	t.cells.Set(e, uint32(i), c) //nolint:gosec // G115: less than the length
}

// Remove takes a number with a hash out of the table.
func (t *Table) Remove(e *Edit, number uint32, hash uint64) {
	n := uint64(t.cells.Len()) //nolint:gosec // G115: a length
	if n == 0 {
		return
	}
	gone := cellOf(number, hash)
	i := hash & (n - 1)
	for at := t.cells.At(uint32(i)); at != gone; at = t.cells.At(uint32(i)) { //nolint:gosec // G115: less than the length
		if at == 0 {
			return
		}
		i = (i + 1) & (n - 1)
	}
	t.used--
	// What follows moves up, unless it would come before its home.
	for free, next := i, (i+1)&(n-1); ; next = (next + 1) & (n - 1) {
		c := t.cells.At(uint32(next)) //nolint:gosec // G115: as above
		if c == 0 {
			t.cells.Set(e, uint32(free), 0) //nolint:gosec // G115: as above
			return
		}
		if (next-c.hash()&(n-1))&(n-1) >= (next-free)&(n-1) {
			t.cells.Set(e, uint32(free), c) //nolint:gosec // G115: as above
			free = next
		}
	}
}
