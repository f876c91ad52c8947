package paged

import "strings"

// Fields is how many texts each item of Texts has.
const Fields = 3

// Texts is a growing array of a few short texts each; the zero value is empty.
// The texts of a page lie one after the other, without pointers between them.
type Texts struct {
	root   *textRoot
	length int
}

type textRoot struct {
	by    *Edit
	pages []*textPage
}

// textPage holds its texts in one string. Changed ones are added at its end: to
// grow does not disturb who reads the string as it was.
type textPage struct {
	by    *Edit
	items [size]textItem
	text  string
	grown *strings.Builder // what text is the beginning of; the writer's
	dead  int              // bytes of text that no item has any more
}

type textItem struct {
	offset  uint32
	lengths [Fields]uint16
}

func (i textItem) length() int {
	n := 0
	for _, l := range i.lengths {
		n += int(l)
	}
	return n
}

// Len is the number of items.
func (t Texts) Len() int { return t.length }

// At returns a text of item i, which must be there.
func (t Texts) At(i uint32, field int) string {
	p := t.root.pages[i>>bits]
	item := &p.items[i&mask]
	from := item.offset
	for _, l := range item.lengths[:field] {
		from += uint32(l)
	}
	return p.text[from : from+uint32(item.lengths[field])]
}

// Add puts an item at the end, and returns its number. Texts have at most 65,535 bytes.
func (t *Texts) Add(e *Edit, texts [Fields]string) uint32 {
	t.own(e)
	i := uint32(t.length) //nolint:gosec // G115: arrays of this process's memory are shorter
	if i&mask == 0 {
		t.root.pages = append(t.root.pages, &textPage{by: e, grown: &strings.Builder{}})
	}
	t.length++
	t.Set(e, i, texts)
	return i
}

// Set changes item i, which must be there.
func (t *Texts) Set(e *Edit, i uint32, texts [Fields]string) {
	t.own(e)
	p := t.root.pages[i>>bits]
	if p.by != e {
		changed := *p
		changed.by = e
		p = &changed
		t.root.pages[i>>bits] = p
	}
	p.dead += p.items[i&mask].length()
	p.items[i&mask] = textItem{}
	if p.dead > len(p.text)/2+size {
		p.tidy()
	}
	p.put(i&mask, texts)
}

func (p *textPage) put(i uint32, texts [Fields]string) {
	item := textItem{offset: uint32(p.grown.Len())} //nolint:gosec // G115: a page has at most 512 items of 196 kB
	for f, text := range texts {
		item.lengths[f] = uint16(len(text)) //nolint:gosec // G115: as documented
		p.grown.WriteString(text)
	}
	p.items[i], p.text = item, p.grown.String()
}

// tidy drops the texts that no item has any more.
func (p *textPage) tidy() {
	before := *p
	p.grown, p.dead = &strings.Builder{}, 0
	p.grown.Grow(len(before.text) - before.dead)
	for i, item := range before.items {
		from := item.offset
		item.offset = uint32(p.grown.Len()) //nolint:gosec // G115: as in put
		p.grown.WriteString(before.text[from : int(from)+item.length()])
		p.items[i] = item
	}
	p.text = p.grown.String()
}

func (t *Texts) own(e *Edit) {
	switch {
	case t.root == nil:
		t.root = &textRoot{by: e}
	case t.root.by != e:
		t.root = &textRoot{by: e, pages: append(make([]*textPage, 0, len(t.root.pages)+1), t.root.pages...)}
	}
}
