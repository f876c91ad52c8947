package account

import "time"

// Kind names what an entry of the journal did; stable, shown in the log (L1).
type Kind string

// The kinds of entries.
const (
	EnvironmentCreated Kind = "environment.created"
	EnvironmentChanged Kind = "environment.changed"
	ClientCreated      Kind = "client.created"
	ClientChanged      Kind = "client.changed"
	ClientRevoked      Kind = "client.revoked"
	SecretAdded        Kind = "client.secret_added"
	SecretRevoked      Kind = "client.secret_revoked"
	KeysRotated        Kind = "environment.keys_rotated"
	OperatorCreated    Kind = "operator.created"
	OperatorChanged    Kind = "operator.changed"
	OperatorDeleted    Kind = "operator.deleted"
	OperatorLinked     Kind = "operator.linked"
	IssuerCreated      Kind = "issuer.created"
	IssuerChanged      Kind = "issuer.changed"
	IssuerDeleted      Kind = "issuer.deleted"
	IdentityLinked     Kind = "identity.linked"
	IdentityUnlinked   Kind = "identity.unlinked"
	AccountCreated     Kind = "account.created"
	AccountChanged     Kind = "account.changed"
	AccountMoved       Kind = "account.moved"
	AccountDeleted     Kind = "account.deleted"
	UserCreated        Kind = "user.created"
	UserChanged        Kind = "user.changed"
	UserBlocked        Kind = "user.blocked"
	UserUnblocked      Kind = "user.unblocked"
	UserDeleted        Kind = "user.deleted"
	RoleCreated        Kind = "role.created"
	RoleChanged        Kind = "role.changed"
	RoleDeleted        Kind = "role.deleted"
	MembershipSet      Kind = "membership.set"
	MembershipRemoved  Kind = "membership.removed"
	AccountPlanSet     Kind = "account.plan_set"
	FeatureCreated     Kind = "feature.created"
	FeatureChanged     Kind = "feature.changed"
	FeatureDeleted     Kind = "feature.deleted"
	FeatureSwitched    Kind = "feature.switched"
	FeatureUnswitched  Kind = "feature.unswitched"
	PlanCreated        Kind = "plan.created"
	PlanChanged        Kind = "plan.changed"
	PlanDeleted        Kind = "plan.deleted"
	InvitationCreated  Kind = "invitation.created"
	InvitationResent   Kind = "invitation.resent"
	InvitationRevoked  Kind = "invitation.withdrawn"
	InvitationAccepted Kind = "invitation.accepted"
	APITokenCreated    Kind = "api_token.created"
	APITokenRevoked    Kind = "api_token.revoked"
	ImpersonationBegun Kind = "impersonation.started"
	ImpersonationEnded Kind = "impersonation.ended"
	Imported           Kind = "directory.imported"
)

// Kinds returns every kind of entry.
func Kinds() []Kind {
	return []Kind{
		EnvironmentCreated, EnvironmentChanged, ClientCreated, ClientRevoked, AccountCreated, AccountChanged,
		AccountMoved, AccountDeleted, AccountPlanSet, UserCreated, UserChanged, UserBlocked,
		UserUnblocked, UserDeleted, RoleCreated, RoleChanged, RoleDeleted, MembershipSet,
		MembershipRemoved, FeatureCreated, FeatureChanged, FeatureDeleted, FeatureSwitched, FeatureUnswitched,
		PlanCreated, PlanChanged, PlanDeleted, InvitationCreated, InvitationResent, InvitationRevoked,
		InvitationAccepted, APITokenCreated, APITokenRevoked, ImpersonationBegun, ImpersonationEnded, Imported,
		ClientChanged, SecretAdded, SecretRevoked, KeysRotated, OperatorCreated, OperatorChanged, OperatorDeleted,
		OperatorLinked, IssuerCreated, IssuerChanged, IssuerDeleted, IdentityLinked, IdentityUnlinked,
	}
}

// Entity is one state of one thing: exactly one field is set.
type Entity struct {
	Environment *Environment `json:"environment,omitempty"`
	Client      *Client      `json:"client,omitempty"`
	Account     *Account     `json:"account,omitempty"`
	User        *User        `json:"user,omitempty"`
	Role        *Role        `json:"role,omitempty"`
	Membership  *Membership  `json:"membership,omitempty"`
	Assignment  *Assignment  `json:"assignment,omitempty"`

	Feature       *Feature       `json:"feature,omitempty"`
	Plan          *Plan          `json:"plan,omitempty"`
	FeatureSwitch *FeatureSwitch `json:"feature_switch,omitempty"`
	Invitation    *Invitation    `json:"invitation,omitempty"`
	APIToken      *APIToken      `json:"api_token,omitempty"`
	Impersonation *Impersonation `json:"impersonation,omitempty"`
	ClientSecret  *ClientSecret  `json:"client_secret,omitempty"`
	Operator      *Operator      `json:"operator,omitempty"`
	Issuer        *Issuer        `json:"issuer,omitempty"`
	Identity      *Identity      `json:"identity,omitempty"`
}

// Change is one entity before and after; a nil Before is a creation, a nil After a deletion.
// Before and After are of the same kind and name the same thing.
type Change struct {
	Before *Entity `json:"before,omitempty"`
	After  *Entity `json:"after,omitempty"`
}

// Entry is one line of an environment's journal: what one request changed (L1).
type Entry struct {
	Environment EnvironmentID `json:"environment"`
	Version     Version       `json:"version"`
	ID          string        `json:"id"` // random: tells this entry from another that was given the same version elsewhere
	At          time.Time     `json:"at"`
	Actor       Actor         `json:"actor"`
	RequestID   string        `json:"request_id,omitempty"`
	From        string        `json:"from,omitempty"` // the address the request came from
	Kind        Kind          `json:"kind"`
	Changes     []Change      `json:"changes"`
}

// Value is a type of entity.
type Value interface {
	Environment | Client | Account | User | Role | Membership | Assignment |
		Feature | Plan | FeatureSwitch | Invitation | APIToken | Impersonation |
		ClientSecret | Operator | Issuer | Identity
}

// Of wraps a value of an entity type.
func Of[T Value](v T) *Entity {
	switch v := any(v).(type) {
	case Environment:
		return &Entity{Environment: &v}
	case Client:
		return &Entity{Client: &v}
	case Account:
		return &Entity{Account: &v}
	case User:
		return &Entity{User: &v}
	case Role:
		return &Entity{Role: &v}
	case Membership:
		return &Entity{Membership: &v}
	case Assignment:
		return &Entity{Assignment: &v}
	case Feature:
		return &Entity{Feature: &v}
	case Plan:
		return &Entity{Plan: &v}
	case FeatureSwitch:
		return &Entity{FeatureSwitch: &v}
	case Invitation:
		return &Entity{Invitation: &v}
	case APIToken:
		return &Entity{APIToken: &v}
	case Impersonation:
		return &Entity{Impersonation: &v}
	case ClientSecret:
		return &Entity{ClientSecret: &v}
	case Operator:
		return &Entity{Operator: &v}
	case Issuer:
		return &Entity{Issuer: &v}
	case Identity:
		return &Entity{Identity: &v}
	default:
		return nil // unreachable: the constraint lists every type
	}
}
