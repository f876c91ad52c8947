// Package relation says which relationships in the engine each state of the directory implies, and so which updates each journal entry asks for. It is pure: no I/O, no clock of its own.
package relation

import (
	"strings"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tenantry/tenantry/internal/account"
)

// The object types of Tenantry's own schema.
const (
	TypeUser        = "user"
	TypeAPIToken    = "api_token"
	TypeOperator    = "operator"
	TypeVersion     = "version"
	TypeEnvironment = "environment"
	TypeRole        = "role"
	TypeAssignment  = "assignment"
	TypeAccount     = "account"
	TypeFeature     = "feature"
	TypePlan        = "plan"
)

// Object is an object of the engine: a type and an id that begins with the environment.
type Object struct {
	Type string
	ID   string
}

// String returns type:id.
func (o Object) String() string { return o.Type + ":" + o.ID }

// Proto returns the object as the engine's API takes it.
func (o Object) Proto() *v1.ObjectReference {
	return &v1.ObjectReference{ObjectType: o.Type, ObjectId: o.ID}
}

// In returns the object of a type with an id local to an environment: account "globex" in "prod" is account:prod/globex.
func In(env account.EnvironmentID, objectType, id string) Object {
	return Object{Type: objectType, ID: string(env) + "/" + id}
}

// Local returns the id of an object without its environment, and whether it belongs to env.
func (o Object) Local(env account.EnvironmentID) (string, bool) {
	return strings.CutPrefix(o.ID, string(env)+"/")
}

// EnvironmentObject is the environment itself.
func EnvironmentObject(env account.EnvironmentID) Object {
	return Object{Type: TypeEnvironment, ID: string(env)}
}

// AccountObject is an account of an environment.
func AccountObject(env account.EnvironmentID, id account.ID) Object {
	return In(env, TypeAccount, string(id))
}

// UserObject is a user of an environment.
func UserObject(env account.EnvironmentID, id account.UserID) Object {
	return In(env, TypeUser, string(id))
}

// OperatorObject is an operator of an environment.
func OperatorObject(env account.EnvironmentID, id account.ClientID) Object {
	return In(env, TypeOperator, string(id))
}

// APITokenObject is a machine member of an account.
func APITokenObject(env account.EnvironmentID, id account.APITokenID) Object {
	return In(env, TypeAPIToken, string(id))
}

// FeatureObject is a feature of an environment.
func FeatureObject(env account.EnvironmentID, key account.FeatureKey) Object {
	return In(env, TypeFeature, string(key))
}

func planObject(env account.EnvironmentID, key account.PlanKey) Object {
	return In(env, TypePlan, string(key))
}

func roleObject(env account.EnvironmentID, key account.RoleKey) Object {
	return In(env, TypeRole, string(key))
}

func assignmentObject(env account.EnvironmentID, id account.ID, key account.RoleKey) Object {
	return In(env, TypeAssignment, string(id)+"/"+string(key))
}

// Key identifies a relationship: the engine holds at most one of each.
type Key struct {
	Resource        Object
	Relation        string
	Subject         Object
	SubjectRelation string // "" for the subject itself
}

// Relationship is a relationship and when it ends.
type Relationship struct {
	Key
	Expires int64 // Unix seconds; 0 is never (U6)
}

// String returns the relationship in the engine's notation.
func (r Relationship) String() string {
	s := r.Resource.String() + "#" + r.Relation + "@" + r.Subject.String()
	if r.SubjectRelation != "" {
		s += "#" + r.SubjectRelation
	}
	if r.Expires != 0 {
		s += "[expiration:" + time.Unix(r.Expires, 0).UTC().Format(time.RFC3339) + "]"
	}
	return s
}

// Proto returns the relationship as the engine's API takes it.
func (r Relationship) Proto() *v1.Relationship {
	p := &v1.Relationship{
		Resource: r.Resource.Proto(),
		Relation: r.Relation,
		Subject:  &v1.SubjectReference{Object: r.Subject.Proto(), OptionalRelation: r.SubjectRelation},
	}
	if r.Expires != 0 {
		p.OptionalExpiresAt = timestamppb.New(time.Unix(r.Expires, 0))
	}
	return p
}

// FromProto is the reverse of Proto.
func FromProto(p *v1.Relationship) Relationship {
	r := Relationship{Key: Key{
		Resource:        Object{Type: p.GetResource().GetObjectType(), ID: p.GetResource().GetObjectId()},
		Relation:        p.GetRelation(),
		Subject:         Object{Type: p.GetSubject().GetObject().GetObjectType(), ID: p.GetSubject().GetObject().GetObjectId()},
		SubjectRelation: p.GetSubject().GetOptionalRelation(),
	}}
	if t := p.GetOptionalExpiresAt(); t != nil {
		r.Expires = t.AsTime().Unix()
	}
	return r
}
