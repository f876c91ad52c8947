package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
)

// Position is how far a journal is in force, and the ZedToken to see it with.
type Position struct {
	Version account.Version
	Token   string // an engine's ZedToken
}

// standing is the engine's mark, and the ZedToken of the read or write that showed it.
type standing struct {
	mark  mark
	token string
}

// standing reads the engine's mark; the zero mark if it has none.
func (r *Relay) standing(ctx context.Context, env account.EnvironmentID) (standing, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.CallTimeout)
	defer cancel()
	stream, err := v1.NewPermissionsServiceClient(r.engine.Conn()).ReadRelationships(ctx, &v1.ReadRelationshipsRequest{
		Consistency: &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}},
		RelationshipFilter: &v1.RelationshipFilter{
			ResourceType: relation.TypeEnvironment, OptionalResourceId: string(env), OptionalRelation: applied,
		},
	})
	if err != nil {
		return standing{}, err
	}
	var found standing
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return standing{}, err
		}
		_, text, _ := strings.Cut(m.GetRelationship().GetSubject().GetObject().GetObjectId(), "/")
		at, err := parseMark(text)
		if err != nil || found.mark != (mark{}) {
			return standing{}, fault.New(fault.Conflict, "position_unreadable",
				"the engine's position of environment %s is not one version: delete environment:%s#applied, and it is filled anew", env, env).Because(err)
		}
		found = standing{mark: at, token: m.GetReadAt().GetToken()}
	}
}

// write sends updates and replaces the mark from by to, in one call where that
// fits. Where it does not, each call but the last leaves a busy mark of its own,
// so that nobody can take the content in between for that of an entry.
// It returns the token of the last call.
func (r *Relay) write(ctx context.Context, env account.EnvironmentID, from, to mark, updates []relation.Update, progress func(done int)) (string, error) {
	room := r.engine.MaxUpdates() - 2 // for the mark
	at, done := from, 0
	for part := 0; ; part++ {
		next, end := to, len(updates)
		if end-done > room {
			next, end = from.during(r.word(part)), done+room
		}
		token, err := r.call(ctx, slices.Concat(updates[done:end], at.becoming(env, next)), at.still(env))
		if err != nil {
			return "", err
		}
		at, done = next, end
		if progress != nil {
			progress(done)
		}
		if next == to {
			return token, nil
		}
	}
}

// word is a word for a busy mark that no other call uses.
func (r *Relay) word(part int) string {
	return fmt.Sprintf("%s%d_%d", r.owner, r.words.Add(1), part)
}

// own reports whether a busy mark is this relay's.
func (r *Relay) own(m mark) bool { return strings.HasPrefix(m.busy, r.owner) }

func (r *Relay) call(ctx context.Context, updates []relation.Update, condition *v1.Precondition) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.CallTimeout)
	defer cancel()
	req := &v1.WriteRelationshipsRequest{
		Updates:               make([]*v1.RelationshipUpdate, len(updates)),
		OptionalPreconditions: []*v1.Precondition{condition},
	}
	for i, u := range updates {
		op := v1.RelationshipUpdate_OPERATION_TOUCH
		if u.Delete {
			op = v1.RelationshipUpdate_OPERATION_DELETE
		}
		req.Updates[i] = &v1.RelationshipUpdate{Operation: op, Relationship: u.Proto()}
	}
	resp, err := v1.NewPermissionsServiceClient(r.engine.Conn()).WriteRelationships(ctx, req)
	if f := engine.Fault(err); fault.HasCode(f, engine.CodeFull) {
		return "", f
	}
	if err != nil {
		return "", err
	}
	return resp.GetWrittenAt().GetToken(), nil
}

// save keeps a position in the database, for other processes and for the next start.
func (r *Relay) save(ctx context.Context, env account.EnvironmentID, p Position) error {
	if !r.engine.Durable() {
		return nil
	}
	return r.journal.SavePosition(ctx, env, r.engine.Name(), p.Version, p.Token)
}

// entry returns the id of the entry with a version: an Internal fault if the journal does not have it.
func (r *Relay) entry(ctx context.Context, env account.EnvironmentID, version account.Version) (account.Entry, error) {
	entries, err := r.journal.Entries(ctx, env, version-1, 1)
	if err != nil {
		return account.Entry{}, err
	}
	if len(entries) == 0 || entries[0].Version != version {
		return account.Entry{}, fault.New(fault.Conflict, "engine_ahead",
			"the engine has applied version %d of environment %s, which its journal does not have: the database is older than the engine; run tenantry reconcile", version, env)
	}
	return entries[0], nil
}

// belongs checks that a mark is one of this journal: that the entry it names is
// the journal's entry of that version, not one of another history.
func (r *Relay) belongs(ctx context.Context, env account.EnvironmentID, m mark) error {
	e, err := r.entry(ctx, env, m.version)
	if err != nil {
		return err
	}
	if e.ID != m.entry {
		return fault.New(fault.Conflict, "engine_of_another_journal",
			"the engine has applied another version %d of environment %s than its journal has: the database was restored from a backup, or another deployment uses this engine; run tenantry reconcile once that is certain", m.version, env)
	}
	return nil
}
