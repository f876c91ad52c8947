package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// Journal is a part of the journal.
type Journal struct {
	Entries    []Entry         `json:"entries" nullable:"false"`
	NextAfter  account.Version `json:"next_after" doc:"Oldest first: send it as after for what follows; there may be more even when the list is empty now. Newest first: of no use."`
	NextBefore account.Version `json:"next_before,omitempty" doc:"Newest first: send it as before for what follows; absent on the last page."`
	More       bool            `json:"more" doc:"Whether there are entries after these already."`
}

// SingleEntry is one entry, with as many of its changes as were asked for.
type SingleEntry struct {
	Entry
	FirstChange int `json:"first_change" doc:"How many changes come before those shown."`
	NextChange  int `json:"next_change,omitempty" doc:"Send it as first_change for the changes that follow; absent if there are none."`
}

// LogPlace is embedded by the inputs of all that reads the log.
type LogPlace struct {
	Account account.ID `query:"account" doc:"Only what concerns this account. Users and API tokens have to name one where they hold fe.secure.write.users."`
	Branch  bool       `query:"branch" doc:"Also what concerns the accounts that are below it now, or were until they were deleted. Users and API tokens need the permission in the whole branch."`
}

// LogConditions is embedded by the inputs of what selects entries.
type LogConditions struct {
	LogPlace
	Actor   string   `query:"actor" doc:"Only what was done by user:ID, api_token:ID, invitation:ID, operator:ID, operator (any of them), or system." example:"user:ada"`
	Subject string   `query:"subject" doc:"Only what concerns this thing: type:id, of the types environment, client, account, user, role, feature, plan, invitation, api_token and impersonation." example:"user:ada"`
	Kinds   []string `query:"kind,explode" doc:"Only these kinds of entries, such as membership.set, or membership.* for all of a sort. Can be given several times."`
}

// LogTimes is embedded by the inputs of what selects entries that are there already.
type LogTimes struct {
	Since time.Time       `query:"since" doc:"Only entries made then or later (RFC 3339)."`
	Until time.Time       `query:"until" doc:"Only entries made before then (RFC 3339)."`
	After account.Version `query:"after" doc:"Only entries of later versions; 0 or absent for all."`
}

func (c LogConditions) filter() directory.LogFilter {
	return directory.LogFilter{Account: c.Account, Branch: c.Branch, Actor: c.Actor, Subject: c.Subject, Kinds: c.Kinds}
}

type journalInput struct {
	Caller
	LogConditions
	LogTimes
	Before account.Version `query:"before" doc:"Only entries of earlier versions; 0 or absent for all."`
	Order  string          `query:"order" enum:"asc,desc" doc:"asc (oldest first, the default) or desc (newest first)."`
	Limit  int             `query:"limit" doc:"The most entries, 1 to 1000; 50 if absent. A page of large entries may hold fewer."`
}

type journalEntryInput struct {
	Caller
	LogPlace
	Version     account.Version `path:"version" doc:"The version that the entry made."`
	FirstChange int             `query:"first_change" doc:"How many changes to leave out at the beginning; next_change of the answer before."`
	Limit       int             `query:"limit" doc:"The most changes, 1 to 1000; 1000 if absent."`
}

const aboutTheLog = "Needs view_backoffice; or, for the log of an account, fe.secure.write.users there. Who reads the log of an account sees what concerns it and nothing else, and of operators only that it was one."

func (s *server) registerJournal() {
	register(s, huma.Operation{
		OperationID: "readJournal", Method: http.MethodGet, Path: "/v1/journal", Tags: []string{tagJournal},
		Summary: "Read the log: every change, filtered", Description: aboutTheLog,
	}, s.readJournal)
	register(s, huma.Operation{
		OperationID: "readJournalEntry", Method: http.MethodGet, Path: "/v1/journal/{version}", Tags: []string{tagJournal},
		Summary: "Read one entry of the log with all of its changes, in pages", Description: aboutTheLog, Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, req directory.Request, in *journalEntryInput) (*Plain[SingleEntry], error) {
		e, err := s.directory.LogEntry(ctx, req.Actor, in.Version, directory.LogFilter{Account: in.Account, Branch: in.Branch}, in.FirstChange, in.Limit)
		if err != nil {
			return nil, err
		}
		out := SingleEntry{Entry: LogEntryOf(e), FirstChange: e.First}
		if next := e.First + len(e.Changes); next < e.Total {
			out.NextChange = next
		}
		return &Plain[SingleEntry]{out}, nil
	})
	s.registerExport()
	s.registerStream()
}

func (s *server) readJournal(ctx context.Context, req directory.Request, in *journalInput) (*Plain[Journal], error) {
	f := in.filter()
	f.Since, f.Until, f.After, f.Before, f.Limit, f.Newest = in.Since, in.Until, in.After, in.Before, in.Limit, in.Order == "desc"
	page, err := s.directory.Log(ctx, req.Actor, f)
	if err != nil {
		return nil, err
	}
	out := Journal{Entries: each(page.Entries, LogEntryOf), NextAfter: in.After, More: page.More}
	if n := len(page.Entries); n > 0 {
		switch last := page.Entries[n-1].Version; {
		case !f.Newest:
			out.NextAfter = last
		case page.More:
			out.NextBefore = last
		}
	}
	return &Plain[Journal]{out}, nil
}
