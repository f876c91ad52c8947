package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/schemacheck/diff"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// DeployedSchema is the schema by which the engine decides.
type DeployedSchema struct {
	Schema string `json:"schema" doc:"In SpiceDB's schema language."`
}

// Removals are what a change of the schema would take away.
type Removals struct {
	Removals []Removal `json:"removals" nullable:"false" minItems:"1" maxItems:"100"`
}

// Removal is a definition, a relation or a type of subject that would be taken away.
type Removal struct {
	Definition string       `json:"definition" minLength:"1" maxLength:"128" doc:"Of the resource."`
	Relation   string       `json:"relation,omitempty" maxLength:"64" doc:"All of the definition if absent."`
	Type       *SubjectType `json:"type,omitempty" doc:"All of the relation if absent."`
}

// SubjectType is a type of subject that a relation takes.
type SubjectType struct {
	Definition string `json:"definition" minLength:"1" maxLength:"128"`
	Relation   string `json:"relation,omitempty" maxLength:"64" doc:"Of a set of subjects, as member in group#member."`
	Wildcard   bool   `json:"wildcard,omitempty" doc:"Every object of the definition, as user:*."`
	Caveat     string `json:"caveat,omitempty" maxLength:"128"`
	Expiration bool   `json:"expiration,omitempty"`
}

// Orphans says of each removal, in their order, how many relationships it would leave without a place.
type Orphans struct {
	Orphans []OrphanCount `json:"orphans" nullable:"false"`
}

// OrphanCount is a number of relationships, counted up to a limit.
type OrphanCount struct {
	Count int  `json:"count" doc:"Live relationships of the environment; 10000 at most."`
	More  bool `json:"more" doc:"There are more than count."`
}

type orphansInput struct {
	Caller
	WithBody[Removals]
}

func (s *server) registerSchema() {
	register(s, huma.Operation{
		OperationID: "getSchema", Method: http.MethodGet, Path: "/v1/schema", Tags: []string{tagAccess},
		Summary:     "The schema by which SpiceDB decides",
		Description: "The same in every environment of the deployment. Needs view_backoffice. It is changed by `tenantry schema apply`, not over HTTP.",
	}, func(ctx context.Context, req directory.Request, _ *callerInput) (*Plain[DeployedSchema], error) {
		text, err := s.access.Schema(ctx, req.Actor)
		if err != nil {
			return nil, err
		}
		return &Plain[DeployedSchema]{DeployedSchema{text}}, nil
	})
	register(s, huma.Operation{
		OperationID: "countOrphans", Method: http.MethodPost, Path: "/v1/schema/orphans", Tags: []string{tagAccess},
		Summary:     "How many relationships would removals from the schema leave without a place?",
		Description: "Counts live relationships of the caller's environment alone. Changes nothing. Needs view_backoffice.",
	}, s.countOrphans)
}

func (s *server) countOrphans(ctx context.Context, req directory.Request, in *orphansInput) (*Plain[Orphans], error) {
	counts, err := s.access.Orphans(ctx, req.Actor, each(in.body().Removals, removalOf))
	if err != nil {
		return nil, err
	}
	return &Plain[Orphans]{Orphans{each(counts, func(o diff.Orphans) OrphanCount { return OrphanCount(o) })}}, nil
}

func removalOf(r Removal) diff.Removal {
	out := diff.Removal{Definition: r.Definition, Relation: r.Relation}
	if t := r.Type; t != nil {
		out.Type = &zed.Type{Definition: t.Definition, Relation: t.Relation, Wildcard: t.Wildcard, Caveat: t.Caveat, Expiration: t.Expiration}
	}
	return out
}
