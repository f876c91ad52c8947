package cover

// Tally counts items and their outcomes.
type Tally struct {
	Items    int
	Allowed  int // items that were seen to allow
	Denied   int // items that were seen to deny
	Seen     int // outcomes
	Possible int // outcomes
}

// Percent returns the share of the possible outcomes that were seen, from 0 to 100; 100 if none is possible.
func (t Tally) Percent() float64 {
	if t.Possible == 0 {
		return 100
	}
	return 100 * float64(t.Seen) / float64(t.Possible)
}

func (t *Tally) add(i *Item) {
	t.Items++
	if i.Allowed > 0 && i.CanAllow {
		t.Allowed++
	}
	if i.Denied > 0 {
		t.Denied++
	}
	t.Seen += i.Seen()
	t.Possible += i.Possible()
}

// Count is the coverage of a definition, or of all.
type Count struct {
	Definition                              string
	Relations, Types, Permissions, Branches Tally
	Total                                   Tally
}

func (c *Count) add(i *Item) {
	c.Total.add(i)
	switch i.Kind {
	case Relation:
		c.Relations.add(i)
	case Type:
		c.Types.add(i)
	case Permission:
		c.Permissions.add(i)
	case Branch:
		c.Branches.add(i)
	}
}

// Summary is the coverage of each definition, in the order of their places, and of all.
type Summary struct {
	Definitions []Count
	All         Count
}

// Summary adds up what was seen.
func (p *Profile) Summary() Summary {
	var s Summary
	at := map[string]int{}
	for _, i := range p.Items() {
		name := i.Definition
		if _, ok := at[name]; !ok {
			at[name] = len(s.Definitions)
			s.Definitions = append(s.Definitions, Count{Definition: name})
		}
		s.Definitions[at[name]].add(i)
		s.All.add(i)
	}
	return s
}

// Percent returns the share of the possible outcomes of all parts that were seen, from 0 to 100.
func (p *Profile) Percent() float64 { return p.Summary().All.Total.Percent() }
