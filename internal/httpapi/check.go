package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/access"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// Check is a question: may the subject do this here?
type Check struct {
	Subject    string `json:"subject" doc:"Who: type:id, with an id of this environment." example:"user:ada"`
	Permission string `json:"permission" doc:"What: a key of the catalogue, a permission's name in the schema, or feature:KEY, the use of a feature in an account." example:"fe.account-hierarchy.read.subAccount"`
	Resource   string `json:"resource" doc:"Where: type:id, with an id of this environment." example:"account:globex"`
}

// Decision is the answer to a Check.
type Decision struct {
	Allowed     bool `json:"allowed" doc:"Whether the subject may."`
	Conditional bool `json:"conditional,omitempty" doc:"A condition could not be decided; allowed is false then."`

	AnsweredBy access.Teller `json:"answered_by" enum:"index,engine" doc:"Who decided: index, from memory, or engine, which is SpiceDB. They say the same."`
}

// BulkCheck is many questions.
type BulkCheck struct {
	Items []Check `json:"items" nullable:"false" doc:"1 to 500 questions."`
}

// BulkDecision is the answer to one of many questions.
type BulkDecision struct {
	Decision
	Error *ItemError `json:"error,omitempty" doc:"Why the question could not be asked; allowed is false then."`
}

// ItemError is what is wrong with one question of many.
type ItemError struct {
	Code   string `json:"code" doc:"As in problems." example:"unknown_permission"`
	Detail string `json:"detail" doc:"For people."`
	Field  string `json:"field,omitempty" doc:"The field of the item at fault." example:"permission"`
}

// BulkDecisions are the answers to many questions, in their order.
type BulkDecisions struct {
	Items []BulkDecision `json:"items" nullable:"false"`
}

type checkInput struct {
	Caller
	WithBody[Check]
}

type bulkCheckInput struct {
	Caller
	WithBody[BulkCheck]
}

func (s *server) registerCheck() {
	register(s, huma.Operation{
		OperationID: "check", Method: http.MethodPost, Path: "/v1/check", Tags: []string{tagAccess},
		Summary:     "May this subject do this here?",
		Description: "Clients need view_backoffice in the environment; who acts for a user may ask about that user only. A blocked user, an expired membership and an undecided condition are all not allowed. feature:KEY is allowed if the account has the feature and the subject has the right there that the feature names.",
	}, s.check)
	register(s, huma.Operation{
		OperationID: "checkBulk", Method: http.MethodPost, Path: "/v1/check/bulk", Tags: []string{tagAccess},
		Summary:     "Answer up to 500 checks at once",
		Description: "All answers are of one version, in the order of the questions. A question that cannot be asked has an error of its own and does not disturb the others.",
	}, s.checkBulk)
}

func (s *server) check(ctx context.Context, req directory.Request, in *checkInput) (*Answer[Decision], error) {
	said, err := s.access.Check(ctx, req.Actor, []access.Question{question(*in.body())}, req.AtLeast)
	if err != nil {
		return nil, err
	}
	if said.Items[0].Err != nil {
		return nil, said.Items[0].Err
	}
	return &Answer[Decision]{Token: tokenAt(req, said.Version), Body: decision(said.Items[0], said.By)}, nil
}

func (s *server) checkBulk(ctx context.Context, req directory.Request, in *bulkCheckInput) (*Answer[BulkDecisions], error) {
	said, err := s.access.Check(ctx, req.Actor, each(in.body().Items, question), req.AtLeast)
	if err != nil {
		return nil, err
	}
	items := each(said.Items, func(a access.Answer) BulkDecision { return BulkDecision{decision(a, said.By), s.itemError(ctx, a.Err)} })
	return &Answer[BulkDecisions]{Token: tokenAt(req, said.Version), Body: BulkDecisions{items}}, nil
}

func question(c Check) access.Question { return access.Question(c) }

func decision(a access.Answer, by access.Teller) Decision {
	return Decision{Allowed: a.Allowed && a.Err == nil, Conditional: a.Conditional, AnsweredBy: by}
}

func (s *server) itemError(ctx context.Context, f *fault.Error) *ItemError {
	if f == nil {
		return nil
	}
	p := s.problem(ctx, f)
	return &ItemError{Code: p.Code, Detail: p.Detail, Field: p.Field}
}
