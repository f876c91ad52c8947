package access

import (
	"context"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/internal/switcher"
)

// Teller is who an answer about access is from.
type Teller string

// The tellers.
const (
	ByIndex  Teller = "index"  // from memory: what the journal implies by the schema
	ByEngine Teller = "engine" // SpiceDB
)

// Index remembers what the journal implies, for as long as it is proved to be what the schema says.
type Index interface {
	// Now returns an environment at the newest version that the index has. An Unavailable
	// fault if the index does not answer for the environment.
	Now(env account.EnvironmentID) (*switcher.View, error)
	// View returns an environment at a version or a newer one, and waits for it until
	// ctx ends. Unavailable faults if it does not come, or the index does not answer for the environment.
	View(ctx context.Context, env account.EnvironmentID, atLeast account.Version) (*switcher.View, error)
	// Next returns a channel that is closed when an environment has another version than now, or none any more.
	Next(env account.EnvironmentID) <-chan struct{}
}

// indexWait is how long a question waits for the index, rather than go to the engine.
const indexWait = 200 * time.Millisecond

// moment is the version of an environment at which some questions are asked: all of
// the index or, from the first on that the index cannot answer, all of the engine.
type moment struct {
	service *Service
	env     account.EnvironmentID
	asked   account.Version // that the answers have to see
	version account.Version // that they see

	view        *switcher.View  // nil if the engine is asked
	recalled    bool            // the view has answered something: the engine may not say what was before
	consistency *v1.Consistency // of the engine; nil until it is asked
}

// by says who answers.
func (m *moment) by() Teller {
	if m.view != nil {
		return ByIndex
	}
	return ByEngine
}

// at returns a moment for questions that want to see at least version. It fails
// closed: a version that does not come in time is an Unavailable fault, never an older answer.
func (s *Service) at(ctx context.Context, env account.EnvironmentID, version account.Version) (*moment, error) {
	if version > s.fresh.Reached(env) {
		if err := s.exists(ctx, env, version); err != nil {
			return nil, err
		}
	}
	return s.from(ctx, env, version)
}

// from is at for a version that the directory is known to have.
func (s *Service) from(ctx context.Context, env account.EnvironmentID, version account.Version) (*moment, error) {
	m := &moment{service: s, env: env, asked: version, version: version}
	if s.remember(ctx, m); m.view != nil {
		return m, nil
	}
	_, err := m.engine(ctx)
	return m, err
}

// inForce is from for a version that the engine has to have as well, whoever answers then: who
// changes things is refused while the engine does not come after, rather than heap up what is not in force.
func (s *Service) inForce(ctx context.Context, env account.EnvironmentID, version account.Version) (*moment, error) {
	if version > s.fresh.Reached(env) {
		waiting, cancel := context.WithTimeout(ctx, s.cfg.FreshWait)
		defer cancel()
		if _, _, err := s.fresh.Fresh(waiting, env, version); err != nil {
			return nil, err
		}
	}
	return s.from(ctx, env, version)
}

// remember has the moment answered by the index, if that has come as far as is wanted, and as the engine is known to have.
func (s *Service) remember(ctx context.Context, m *moment) {
	if s.cfg.Index == nil {
		return
	}
	view, err := s.cfg.Index.Now(m.env)
	if least := max(m.version, s.fresh.Reached(m.env)); err == nil && view.Version() < least {
		ctx, cancel := context.WithTimeout(ctx, indexWait)
		defer cancel()
		view, err = s.cfg.Index.View(ctx, m.env, least)
	}
	if err == nil {
		m.view, m.version = view, view.Version()
	}
}

// engine returns the consistency with which the engine is asked at this moment; the index
// is not asked any more. An Unavailable fault if the version does not come in time.
func (m *moment) engine(ctx context.Context) (*v1.Consistency, error) {
	if m.consistency != nil {
		return m.consistency, nil
	}
	least := m.asked
	if m.recalled {
		least = m.version
	}
	ctx, cancel := context.WithTimeout(ctx, m.service.cfg.FreshWait)
	defer cancel()
	token, seen, err := m.service.fresh.Fresh(ctx, m.env, least)
	if err != nil {
		return nil, err
	}
	m.view, m.version = nil, seen
	m.consistency = &v1.Consistency{Requirement: &v1.Consistency_AtLeastAsFresh{AtLeastAsFresh: &v1.ZedToken{Token: token}}}
	return m.consistency, nil
}

// exists refuses a version that the directory never had, rather than wait for it in vain.
func (s *Service) exists(ctx context.Context, env account.EnvironmentID, version account.Version) error {
	return s.names.Read(ctx, env, func(r directory.Reader) error {
		head, err := r.Head(ctx)
		if err == nil {
			err = directory.CheckKnown(version, head)
		}
		return err
	})
}

// item is one question as the engine takes it.
type item struct {
	resource   relation.Object
	permission string
	subject    subjectRef
}

func (i item) proto() *v1.CheckBulkPermissionsRequestItem {
	return &v1.CheckBulkPermissionsRequestItem{
		Resource:   i.resource.Proto(),
		Permission: i.permission,
		Subject:    &v1.SubjectReference{Object: i.subject.Proto(), OptionalRelation: i.subject.Relation},
	}
}

// ask returns the answers to items in their order: from the index if it has all of them, otherwise in one call to the engine.
func (m *moment) ask(ctx context.Context, items []item) ([]Answer, error) {
	if answers, ok := m.recall(items); ok {
		m.service.metrics.checks.WithLabelValues(string(ByIndex)).Add(float64(len(items)))
		return answers, nil
	}
	consistency, err := m.engine(ctx)
	if err != nil {
		return nil, err
	}
	asked := make([]*v1.CheckBulkPermissionsRequestItem, len(items))
	for i := range items {
		asked[i] = items[i].proto()
	}
	resp, err := v1.NewPermissionsServiceClient(m.service.engine).CheckBulkPermissions(ctx, &v1.CheckBulkPermissionsRequest{Consistency: consistency, Items: asked})
	if err != nil {
		return nil, engine.Fault(err)
	}
	if len(resp.GetPairs()) != len(items) {
		return nil, fault.New(fault.Internal, "engine_answers", "the engine answered %d of %d questions", len(resp.GetPairs()), len(items))
	}
	m.service.metrics.checks.WithLabelValues(string(ByEngine)).Add(float64(len(items)))
	out := make([]Answer, len(items))
	for i, pair := range resp.GetPairs() {
		out[i] = answerOf(pair)
	}
	return out, nil
}

func answerOf(pair *v1.CheckBulkPermissionsPair) Answer {
	if status := pair.GetError(); status != nil {
		return Answer{Err: itemFault(status)}
	}
	switch pair.GetItem().GetPermissionship() {
	case v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION:
		return Answer{Allowed: true}
	case v1.CheckPermissionResponse_PERMISSIONSHIP_CONDITIONAL_PERMISSION:
		return Answer{Conditional: true} // what the condition needs is not known: not allowed
	default:
		return Answer{}
	}
}

// recall returns the answers of the index, and whether it has all of them.
func (m *moment) recall(items []item) ([]Answer, bool) {
	if m.view == nil {
		return nil, false
	}
	out := make([]Answer, len(items))
	for i := range items {
		var ok bool
		if out[i].Allowed, ok = m.remembered(&items[i]); !ok {
			return nil, false
		}
	}
	m.recalled = true
	return out, true
}

var subjectKinds = map[string]switcher.Kind{
	relation.TypeUser: switcher.User, relation.TypeAPIToken: switcher.APIToken, relation.TypeOperator: switcher.Operator,
}

// remembered answers one item, if the index knows of it.
func (m *moment) remembered(i *item) (allowed, ok bool) {
	kind, known := subjectKinds[i.subject.Type]
	id, here := i.subject.Local(m.env)
	if !known || !here || i.subject.Relation != "" {
		return false, false
	}
	who := switcher.Subject{Kind: kind, ID: id}
	switch i.resource.Type {
	case relation.TypeAccount:
		at, here := i.resource.Local(m.env)
		if !here {
			return false, false
		}
		return m.view.Allowed(who, i.permission, account.ID(at))
	case relation.TypeEnvironment:
		if i.resource.ID != string(m.env) {
			return false, false
		}
		if i.permission == "blocked" {
			return m.view.Blocked(who), true
		}
		return m.view.Portal(who, i.permission)
	default:
		return false, false
	}
}
