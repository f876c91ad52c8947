package directory

import (
	"slices"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// LogFilter selects entries of the journal, as callers ask for them: all
// conditions that are given have to hold (L1).
type LogFilter struct {
	Account account.ID // only what concerns this account; "" for all
	Branch  bool       // or an account below it: now, or when it was deleted
	Actor   string     // "user:ada", "operator:shop", "operator" (any of them), "api_token:…", "system"; "" for all
	Subject string     // "user:ada", "role:admin", …: only what concerns it; "" for all
	Kinds   []string   // "membership.set", or all of a sort: "membership.*"; none for all

	Since, Until  time.Time       // made at or after, and before; zero for no bound
	After, Before account.Version // only versions above, and below; 0 for no bound
	Newest        bool            // the newest first; otherwise the oldest
	Limit         int             // the most entries of a page; DefaultLimit if 0

	Whole    bool // entries with all of their changes; otherwise with the first MaxShownChanges
	MaxBytes int  // how much a page may hold, as JSON in the database; 0 is 8 MB
}

// LogQuery is a LogFilter as the database takes it.
type LogQuery struct {
	Account account.ID
	Branch  bool
	Present bool     // only the account's present life, should its id have been used before
	Actors  []string // names of actors (account.Actor.Name); "operator:*" is all that begin so
	Subject account.Ref
	Kinds   []account.Kind

	Since, Until  time.Time
	After, Before account.Version
	Newest        bool
	Limit         int
	MaxBytes      int // 0 is 8 MB
}

// LogSpan is a part of an account's history: its life, as far as a log is about it.
type LogSpan struct {
	Account  account.ID
	From, To account.Version // both included
}

const (
	operatorActor = "operator" // any operator
	anyOperator   = "operator:*"
	systemActor   = "system"
	maxKinds      = 50
	wholeSort     = ".*" // ends the name of a sort of kinds
)

// query checks the filter and puts it as the database takes it. The people of an
// account (byMember) read the account's present life, and know operators only as such.
//
// Faults: Invalid (invalid_id, invalid_limit, unknown_kind, invalid_actor, invalid_object, invalid_request).
func (f LogFilter) query(byMember bool) (LogQuery, error) {
	q := LogQuery{
		Account: f.Account, Branch: f.Branch, Present: byMember, Since: f.Since, Until: f.Until,
		After: f.After, Before: f.Before, Newest: f.Newest, MaxBytes: f.MaxBytes,
	}
	var err error
	if q.Limit, err = CheckLimit(f.Limit); err != nil {
		return q, err
	}
	switch {
	case f.Account != "":
		if err := account.CheckID("account", f.Account); err != nil {
			return q, err
		}
	case f.Branch:
		return q, fault.New(fault.Invalid, "invalid_request", "branch needs an account").In("branch")
	}
	if f.After < 0 {
		return q, fault.New(fault.Invalid, "invalid_request", "after is a version, 0 or more").In("after")
	}
	if f.Before < 0 {
		return q, fault.New(fault.Invalid, "invalid_request", "before is a version, 0 or more").In("before")
	}
	for _, t := range []struct {
		field string
		at    time.Time
	}{{"since", f.Since}, {"until", f.Until}} {
		if !t.at.IsZero() && (t.at.Year() < 1970 || t.at.Year() > 9999) {
			return q, fault.New(fault.Invalid, "invalid_time", "%s is out of range", t.field).In(t.field)
		}
	}
	if q.Kinds, err = kindsOf(f.Kinds); err != nil {
		return q, err
	}
	if q.Actors, err = actorsOf(f.Actor, byMember); err != nil {
		return q, err
	}
	q.Subject, err = refOf(f.Subject)
	return q, err
}

// kindsOf returns the kinds that the names stand for.
func kindsOf(names []string) ([]account.Kind, error) {
	if len(names) > maxKinds {
		return nil, fault.New(fault.Invalid, "invalid_request", "kind is there %d times; the most is %d", len(names), maxKinds).In("kind")
	}
	var kinds []account.Kind
	for _, name := range names {
		sort, whole := strings.CutSuffix(name, wholeSort)
		known := len(kinds)
		for _, kind := range account.Kinds() {
			if string(kind) == name || whole && strings.HasPrefix(string(kind), sort+".") {
				kinds = append(kinds, kind)
			}
		}
		if len(kinds) == known {
			return nil, fault.New(fault.Invalid, "unknown_kind",
				"there is no kind of entry %s; write one like membership.set, or membership.* for all of a sort", account.Quote(name)).In("kind")
		}
	}
	return account.Set(kinds), nil
}

// actorsOf returns the names that an actor's stands for.
func actorsOf(name string, byMember bool) ([]string, error) {
	kind, id, named := strings.Cut(name, ":")
	switch {
	case name == "":
		return nil, nil
	case name == operatorActor && byMember:
		return []string{anyOperator, systemActor}, nil
	case name == operatorActor:
		return []string{anyOperator}, nil
	case byMember && (name == systemActor || kind == operatorActor):
		return nil, fault.New(fault.Denied, "permission_denied", "which operator it was is not told; ask for the actor operator").In("actor")
	case name == systemActor:
		return []string{name}, nil
	case named && slices.Contains([]string{operatorActor, account.RefUser, account.RefAPIToken, account.RefInvitation}, kind) && account.CheckID("actor", id) == nil:
		return []string{name}, nil
	}
	return nil, fault.New(fault.Invalid, "invalid_actor",
		"an actor is user:ID, api_token:ID, invitation:ID, operator:ID, operator or system, not %s", account.Quote(name)).In("actor")
}

// refOf reads a subject; the zero Ref for "".
func refOf(subject string) (account.Ref, error) {
	if subject == "" {
		return account.Ref{}, nil
	}
	kind, id, _ := strings.Cut(subject, ":")
	if !slices.Contains(account.RefTypes(), kind) || account.CheckID("subject", id) != nil {
		return account.Ref{}, fault.New(fault.Invalid, "invalid_object", "a subject of the log is type:id, with one of the types %s; not %s",
			strings.Join(account.RefTypes(), ", "), account.Quote(subject)).In("subject")
	}
	return account.Ref{Type: kind, ID: id}, nil
}
