package sqlite

import (
	"errors"
	"testing"
	"time"

	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/tuple"
	"google.golang.org/protobuf/types/known/structpb"
)

func someKinds() *kinds {
	return newKinds([]*kind{
		{id: 1, resourceType: "account", relation: "parent", subjectType: "account", subjectRelation: tuple.Ellipsis},
		{id: 7, resourceType: "account", relation: "member", subjectType: "user", subjectRelation: tuple.Ellipsis},
	})
}

func TestChangesAreReadAsTheyWereWritten(t *testing.T) {
	known := someKinds()
	full := tuple.MustParse("account:a#member@user:u")
	at := time.Date(2901, 1, 2, 3, 4, 5, 6000, time.UTC)
	full.OptionalExpiration = &at
	given, err := structpb.NewStruct(map[string]any{"ip": "10.0.0.1", "n": 3})
	if err != nil {
		t.Fatal(err)
	}
	full.OptionalCaveat = &core.ContextualizedCaveat{CaveatName: "from", Context: given}
	want := []change{
		{touched, full},
		{deleted, tuple.MustParse("account:b#parent@account:a")},
		{undone, tuple.MustParse("account:b#member@user:u")},
		{touched, tuple.MustParse("account:c#parent@account:a")},
	}
	var log changeLog
	for _, c := range want {
		content, err := contentOf(c.rel)
		if err != nil {
			t.Fatal(err)
		}
		key := kindOf(c.rel.RelationshipReference)
		log.add(c.operation, known.ids[key], c.rel.Resource.ObjectID, c.rel.Subject.ObjectID, content)
	}
	var got []change
	err = decodeChanges(log.buffer, known, func(c change) error {
		got = append(got, c)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("read %d changes of %d", len(got), len(want))
	}
	for i := range want {
		if got[i].operation != want[i].operation || !tuple.Equal(got[i].rel, want[i].rel) {
			t.Errorf("change %d is %d %v, want %d %v", i, got[i].operation, got[i].rel, want[i].operation, want[i].rel)
		}
	}
	for cut := range log.buffer {
		if cut == 0 {
			continue
		}
		n := 0
		err := decodeChanges(log.buffer[:cut], known, func(change) error { n++; return nil })
		if err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatalf("cut off at %d: %v", cut, err)
		}
		if err == nil && n == len(want) {
			t.Fatalf("cut off at %d, it is still whole", cut)
		}
	}
}

func FuzzDecodeChanges(f *testing.F) {
	known := someKinds()
	var log changeLog
	at := int64(5)
	log.add(touched, known.all[0], "b", "a", content{expires: &at, caveat: "c", context: []byte{}})
	log.add(deleted, known.all[1], "b", "u", content{})
	f.Add(log.buffer)
	f.Fuzz(func(t *testing.T, b []byte) {
		err := decodeChanges(b, known, func(c change) error {
			if known.ids[kindOf(c.rel.RelationshipReference)] == nil {
				t.Errorf("a change of a kind that there is not: %v", c.rel)
			}
			return nil
		})
		if err != nil && !errors.Is(err, ErrCorrupt) {
			t.Error(err)
		}
	})
}
