package access

import (
	"context"
	"regexp"
	"slices"
	"strings"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
)

// MaxBulk is the most questions that one call may ask.
const MaxBulk = 500

// Question is a permission check as a caller writes it: "user:ada",
// "fe.account-hierarchy.read.subAccount" (or a name of the schema, "access"; or
// "feature:reports", the use of a feature), "account:globex". Ids are local to the environment.
type Question struct {
	Subject    string
	Permission string
	Resource   string
}

// Answer is what is said of one question.
type Answer struct {
	Allowed     bool
	Conditional bool // a condition could not be decided: not allowed
	Err         *fault.Error
}

// Answers are those to some questions, in their order.
type Answers struct {
	Items   []Answer
	Version account.Version // as of which they are
	By      Teller
}

func (a Answer) failure() error {
	if a.Err == nil {
		return nil
	}
	return a.Err
}

// Check answers questions, in their order, as of one version at or after the one
// asked for, which it returns. Operators who may view the back office may ask
// about anybody; users about themselves, and of Tenantry's own types only what they
// may do in an account. Who may use a feature in an account has the right that the
// feature names there, and the account has the feature.
//
// A question that cannot be asked (an unknown permission, feature or type, a
// malformed id; with a token for one account, one about anything else: outside_account) is
// answered with a fault of its own, and so is one of a member about an account that they
// may not use from where they are (ip_not_allowed). Unavailable faults for all if the
// engine is away or the version does not come in time.
func (s *Service) Check(ctx context.Context, actor account.Actor, questions []Question, version account.Version) (Answers, error) {
	if len(questions) == 0 || len(questions) > MaxBulk {
		return Answers{}, fault.New(fault.Invalid, "invalid_bulk", "ask 1 to %d questions at once, not %d", MaxBulk, len(questions)).In("items")
	}
	batch := batch{service: s, env: actor.Environment, actor: actor}
	if !actor.System {
		if err := batch.right(actor, questions); err != nil {
			return Answers{}, err
		}
	}
	now, features, err := s.atFeatures(ctx, actor.Environment, version, featuresNamed(questions))
	if err != nil {
		return Answers{}, err
	}
	batch.features = features
	answers := make([]Answer, len(questions))
	places := make([]place, len(questions))
	for i, q := range questions {
		var err error
		if places[i], err = batch.add(q); err != nil {
			answers[i].Err = fault.From(err)
		}
	}
	if len(batch.items) == 0 {
		return Answers{answers, now.version, now.by()}, nil
	}
	found, err := now.ask(ctx, batch.items)
	if err != nil {
		return Answers{}, err
	}
	if batch.asksRight && (found[0].Err != nil || !found[0].Allowed) {
		return Answers{}, fault.New(fault.Denied, "permission_denied", "%s may not check the permissions of others: needs view_backoffice on the environment", actor.Name())
	}
	for i, p := range places {
		if answers[i].Err != nil {
			continue
		}
		answers[i] = found[p.question]
		if p.feature > 0 {
			answers[i] = both(answers[i], found[p.feature])
		}
		if p.blocked > 0 {
			blocked := found[p.blocked]
			answers[i].Allowed = answers[i].Allowed && !blocked.Allowed
			if answers[i].Err == nil {
				answers[i].Err = blocked.Err
			}
		}
	}
	if err := s.bar(ctx, actor, questions, answers); err != nil {
		return Answers{}, err
	}
	return Answers{answers, now.version, now.by()}, nil
}

// batch collects what is asked at once.
type batch struct {
	service   *Service
	env       account.EnvironmentID
	items     []item
	asksRight bool // items[0] is the actor's right to ask
	actor     account.Actor
	features  features
}

// place is where a question stands in a batch, and those whether its subject is
// blocked and whether the account has the feature; 0 for none.
type place struct{ question, blocked, feature int }

// right adds the question whether the actor may ask, or decides it where that needs no engine.
func (b *batch) right(actor account.Actor, questions []Question) error {
	subject, err := subjectOf(actor)
	if err != nil {
		return err
	}
	if actor.IsMember() {
		self := actor.Name()
		if slices.ContainsFunc(questions, func(q Question) bool { return q.Subject != self }) {
			return fault.New(fault.Denied, "permission_denied", "%s may check only their own permissions", actor.Name()).In("subject")
		}
		return nil
	}
	b.asksRight = true
	b.items = append(b.items, item{relation.EnvironmentObject(b.env), "view_backoffice", subject})
	return nil
}

// add puts a question into the batch. A user who is blocked passes no check
// (U5): what the schema decides for accounts by itself, knowing of blocked users,
// is asked alone; beside all else it is asked whether the user is blocked.
func (b *batch) add(q Question) (place, error) {
	subject, err := parseSubject(b.env, q.Subject)
	if err != nil {
		return place{}, err
	}
	resource, err := parseObject(b.env, "resource", q.Resource)
	if err != nil {
		return place{}, err
	}
	if err := within(b.actor, resource); err != nil {
		return place{}, fault.From(err).In("resource")
	}
	if key, ok := featureNamed(q.Permission); ok {
		return b.addFeature(subject, resource, key)
	}
	permission, err := b.service.permission(resource.Type, q.Permission, b.actor.IsMember())
	if err != nil {
		return place{}, err
	}
	p := place{question: len(b.items)}
	b.items = append(b.items, item{resource, permission, subject})
	if subject.Type == relation.TypeUser && !b.service.knowsBlocked(resource.Type, permission) {
		p.blocked = len(b.items)
		b.items = append(b.items, b.service.blocked(b.env, subject))
	}
	return p, nil
}

// knowsBlocked reports whether a permission is denied to blocked users by the
// schema itself. An account's relations are not: sub_account_management, for one, is everybody's.
func (s *Service) knowsBlocked(resourceType, permission string) bool {
	if resourceType != relation.TypeAccount {
		return false
	}
	_, ok := s.catalogue.Lookup(permission)
	return ok || permission == "access"
}

func (s *Service) blocked(env account.EnvironmentID, subject subjectRef) item {
	return item{relation.EnvironmentObject(env), "blocked", subject}
}

var (
	schemaName = regexp.MustCompile(`^[a-z][a-z0-9_]{1,62}[a-z0-9]$`)
	objectType = regexp.MustCompile(`^([a-z][a-z0-9_]{1,61}[a-z0-9]/)*[a-z][a-z0-9_]{1,62}[a-z0-9]$`)
	objectID   = regexp.MustCompile(`^[a-zA-Z0-9/_|\-=+]{1,900}$`)
)

// permission returns a permission's name in the schema. What lookups follow
// inside the account definition (member_…, branch_…) does not know of blocked
// users and is not for callers. Users may ask what they may do in an account and
// with an application's objects; what else Tenantry's own types hold (settings,
// what roles are made of) is not theirs to see.
func (s *Service) permission(resourceType, name string, forUser bool) (string, error) {
	bad := func() error {
		return fault.New(fault.Invalid, "unknown_permission", "there is no permission %s", account.Quote(name)).In("permission")
	}
	if forUser && isOwnType(resourceType) && resourceType != relation.TypeAccount {
		return "", bad()
	}
	if p, ok := s.catalogue.Lookup(name); ok {
		return p.Relation, nil
	}
	ofAccount := resourceType == relation.TypeAccount
	internal := ofAccount && (strings.HasPrefix(name, "member_") || strings.HasPrefix(name, "branch_"))
	if internal || !schemaName.MatchString(name) || forUser && ofAccount && name != "access" {
		return "", bad()
	}
	return name, nil
}

// isOwnType reports whether objects of a type are Tenantry's, rather than an application's.
func isOwnType(objectType string) bool {
	switch objectType {
	case relation.TypeUser, relation.TypeAPIToken, relation.TypeOperator, relation.TypeVersion,
		relation.TypeEnvironment, relation.TypeRole, relation.TypeAssignment, relation.TypeAccount, relation.TypeFeature, relation.TypePlan:
		return true
	default:
		return false
	}
}

// subjectRef is a subject: an object, or those who stand in a relation to it.
type subjectRef struct {
	relation.Object
	Relation string
}

func parseSubject(env account.EnvironmentID, text string) (subjectRef, error) {
	text, rel, with := strings.Cut(text, "#")
	object, err := parseObject(env, "subject", text)
	if err == nil && with && !schemaName.MatchString(rel) {
		err = malformed("subject", text+"#"+rel)
	}
	return subjectRef{Object: object, Relation: rel}, err
}

func malformed(field, text string) error {
	return fault.New(fault.Invalid, "invalid_object", "%s is written type:id, like user:ada or account:globex, not %s", field, account.Quote(text)).In(field)
}

// parseObject reads type:id, the id being local to the environment.
func parseObject(env account.EnvironmentID, field, text string) (relation.Object, error) {
	kind, id, ok := strings.Cut(text, ":")
	switch kind {
	case relation.TypeAccount, relation.TypeUser, relation.TypeOperator, relation.TypeAPIToken:
		if ok && account.CheckID(field, id) == nil { // as nearly all are
			return relation.In(env, kind, id), nil
		}
	}
	if !ok || !objectType.MatchString(kind) || !objectID.MatchString(id) {
		return relation.Object{}, malformed(field, text)
	}
	switch kind {
	case relation.TypeEnvironment:
		if id != string(env) {
			return relation.Object{}, fault.New(fault.NotFound, "environment_not_found", "there is no environment %s here", account.Quote(id)).In(field)
		}
		return relation.EnvironmentObject(env), nil
	case relation.TypeAccount, relation.TypeUser, relation.TypeOperator, relation.TypeAPIToken, relation.TypeRole, relation.TypeFeature, relation.TypePlan:
		if err := account.CheckID(field, id); err != nil {
			return relation.Object{}, err
		}
	}
	return relation.In(env, kind, id), nil
}

// itemFault turns the engine's refusal of one question into a fault for the caller.
func itemFault(s *spb.Status) *fault.Error {
	err := status.ErrorProto(s)
	switch status.Code(err) {
	case codes.FailedPrecondition, codes.InvalidArgument, codes.NotFound:
		return fault.New(fault.Invalid, "unknown_permission", "the schema cannot answer this: %s", s.GetMessage()).In("permission").Because(err)
	default:
		return fault.From(engine.Fault(err))
	}
}
