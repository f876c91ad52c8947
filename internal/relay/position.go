package relay

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
)

// Position is how far a journal is in force, and the ZedToken to see it with.
type Position struct {
	Version account.Version
	Token   string // an engine's ZedToken
}

const applied = "applied" // environment#applied@version

// mark is the relationship that says the position.
func mark(env account.EnvironmentID, version account.Version) relation.Relationship {
	return relation.Relationship{Key: relation.Key{
		Resource: relation.EnvironmentObject(env),
		Relation: applied,
		Subject:  relation.In(env, relation.TypeVersion, strconv.FormatInt(int64(version), 10)),
	}}
}

// stillAt demands that the engine's position is the version; 0 that there is none.
func stillAt(env account.EnvironmentID, version account.Version) *v1.Precondition {
	filter := &v1.RelationshipFilter{
		ResourceType:       relation.TypeEnvironment,
		OptionalResourceId: string(env),
		OptionalRelation:   applied,
	}
	if version == 0 {
		return &v1.Precondition{Operation: v1.Precondition_OPERATION_MUST_NOT_MATCH, Filter: filter}
	}
	subject := mark(env, version).Subject
	filter.OptionalSubjectFilter = &v1.SubjectFilter{SubjectType: subject.Type, OptionalSubjectId: subject.ID}
	return &v1.Precondition{Operation: v1.Precondition_OPERATION_MUST_MATCH, Filter: filter}
}

// move returns the updates that move the position.
func move(env account.EnvironmentID, from, to account.Version) []relation.Update {
	var out []relation.Update
	if from == to {
		return nil
	}
	if from != 0 {
		out = append(out, relation.Update{Delete: true, Relationship: mark(env, from)})
	}
	return append(out, relation.Update{Relationship: mark(env, to)})
}

// enginePosition reads the position from the engine; version 0 if it has none.
// The token is that of the read: it sees at least that position.
func (r *Relay) enginePosition(ctx context.Context, env account.EnvironmentID) (Position, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.CallTimeout)
	defer cancel()
	stream, err := v1.NewPermissionsServiceClient(r.engine.Conn()).ReadRelationships(ctx, &v1.ReadRelationshipsRequest{
		Consistency: &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}},
		RelationshipFilter: &v1.RelationshipFilter{
			ResourceType: relation.TypeEnvironment, OptionalResourceId: string(env), OptionalRelation: applied,
		},
	})
	if err != nil {
		return Position{}, err
	}
	var found Position
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return Position{}, err
		}
		_, number, _ := strings.Cut(m.GetRelationship().GetSubject().GetObject().GetObjectId(), "/")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil || version < 1 || found.Version != 0 {
			return Position{}, fault.New(fault.Conflict, "position_unreadable",
				"the engine's position of environment %s is not one version; reconcile puts it right", env)
		}
		found = Position{Version: account.Version(version), Token: m.GetReadAt().GetToken()}
	}
}

// save keeps a position in the database, for other processes and for the next start.
func (r *Relay) save(ctx context.Context, env account.EnvironmentID, p Position) error {
	if !r.engine.Durable() {
		return nil
	}
	return r.journal.SavePosition(ctx, env, r.engine.Name(), p.Version, p.Token)
}

// write sends updates in calls of at most MaxUpdates, each on the condition that
// the position is still at from; the last moves it to to. It returns the last call's token.
func (r *Relay) write(ctx context.Context, env account.EnvironmentID, from, to account.Version, updates []relation.Update, progress func(done int)) (string, error) {
	updates = append(slices.Clip(updates), move(env, from, to)...)
	token := ""
	for done := 0; done < len(updates); {
		part := updates[done:min(done+r.engine.MaxUpdates(), len(updates))]
		// the two updates that move the position belong in one call
		if rest := len(updates) - done - len(part); rest == 1 && from != 0 && from != to {
			part = part[:len(part)-1]
		}
		t, err := r.call(ctx, part, stillAt(env, from))
		if err != nil {
			return "", err
		}
		token = t
		done += len(part)
		if progress != nil {
			progress(done)
		}
	}
	return token, nil
}

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
	if err != nil {
		return "", err
	}
	return resp.GetWrittenAt().GetToken(), nil
}
