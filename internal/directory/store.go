package directory

import (
	"context"
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// Store keeps the directory: state rows and the journal, in one database.
//
// Errors are faults: NotFound with the codes environment_not_found,
// account_not_found, user_not_found, role_not_found, membership_not_found,
// client_not_found, feature_not_found, plan_not_found, api_token_not_found,
// invitation_not_found and impersonation_not_found; Unavailable (database_unavailable) where trying again may
// help; anything else is not a fault and counts as internal. A callback's own
// error is returned as it is, after the transaction has been rolled back.
type Store interface {
	// Environments returns every environment, in the order of their ids.
	Environments(ctx context.Context) ([]account.Environment, error)

	// CreateEnvironment adds the environment that first.Changes[0] creates, with first as
	// version 1 of its journal. An Exists fault (environment_exists) if the id is taken.
	CreateEnvironment(ctx context.Context, first account.Entry) error

	// Head returns the version of the newest entry of an environment's journal.
	Head(ctx context.Context, env account.EnvironmentID) (account.Version, error)

	// AllowLists returns from where requests may come to an environment (E3), and which list
	// holds at each of the accounts named: its own, or that of the nearest one above it that has
	// one. Accounts for which there is none, or that do not exist, are left out.
	AllowLists(ctx context.Context, env account.EnvironmentID, ids ...account.ID) (AllowLists, error)

	// Read calls fn with one consistent snapshot of an environment.
	Read(ctx context.Context, env account.EnvironmentID, fn func(Reader) error) error

	// Write calls fn inside a transaction that holds the environment's lock: writes of one
	// environment happen one after the other, and fn sees all that came before. It commits
	// if fn returns nil. fn may be called more than once if the database asks for a retry.
	Write(ctx context.Context, env account.EnvironmentID, fn func(Tx) error) error
}

// Reader reads the state of one environment.
type Reader interface {
	ReachReader

	// Head is the version of the newest entry of the journal.
	Head(ctx context.Context) (account.Version, error)
	Environment(ctx context.Context) (account.Versioned[account.Environment], error)
	Client(ctx context.Context, id account.ClientID) (account.Versioned[account.Client], error)
	Clients(ctx context.Context) ([]account.Client, error)
	// ClientPage returns a page of the clients in the order of their ids, and how many there are.
	ClientPage(ctx context.Context, f KeyPage) ([]account.Versioned[account.Client], int, error)
	// ClientUses returns when those of the clients named were used last, with any of the secrets
	// that they have, that have been used.
	ClientUses(ctx context.Context, ids []account.ClientID) (map[account.ClientID]time.Time, error)

	Account(ctx context.Context, id account.ID) (account.Versioned[account.Account], error)
	// Accounts returns a page of accounts in the order of their ids, and how many match in all.
	Accounts(ctx context.Context, f AccountFilter) ([]account.Versioned[account.Account], int, error)
	// WithAncestors returns the accounts named, those of them that exist, and all their ancestors, each once, in no order.
	WithAncestors(ctx context.Context, ids []account.ID) ([]account.Account, error)
	// Ancestors returns the accounts above id, the root first; empty for a root.
	Ancestors(ctx context.Context, id account.ID) ([]account.Account, error)
	// Descendants returns up to limit accounts below id (all if limit is 0), level by level, by id within a level.
	Descendants(ctx context.Context, id account.ID, limit int) ([]account.Account, error)
	// Height is the number of levels of the branch at id: 1 for an account without children.
	Height(ctx context.Context, id account.ID) (int, error)
	// Counts returns the number of members, children and descendants of an account.
	Counts(ctx context.Context, id account.ID) (Counts, error)

	User(ctx context.Context, id account.UserID) (account.Versioned[account.User], error)
	// UserByEmail finds a user by the cleaned address.
	UserByEmail(ctx context.Context, email string) (account.Versioned[account.User], error)
	// Users returns a page of users in the order of their ids, and how many match in all.
	Users(ctx context.Context, f UserFilter) ([]account.Versioned[account.User], int, error)

	Role(ctx context.Context, key account.RoleKey) (account.Versioned[account.Role], error)
	// Roles returns every role of the environment, in the order of their keys.
	Roles(ctx context.Context) ([]account.Versioned[account.Role], error)
	// Assignments returns the roles in use in an account, in the order of their keys.
	Assignments(ctx context.Context, id account.ID) ([]account.Assignment, error)
	// Uses returns in how many accounts a role is in use.
	Uses(ctx context.Context, key account.RoleKey) (int, error)
	// AccountsUsing returns up to limit accounts in which a role is in use, in the order of their ids.
	AccountsUsing(ctx context.Context, key account.RoleKey, limit int) ([]account.ID, error)
	// RolesFromOutside returns the roles in use in the branch at an account that belong to an
	// account outside of it, in the order of their keys, each with the first account that uses it.
	RolesFromOutside(ctx context.Context, top account.ID) ([]RoleUse, error)

	Membership(ctx context.Context, id account.ID, user account.UserID) (account.Versioned[account.Membership], error)
	// Members returns a page of an account's memberships in the order of user ids, and how many there are.
	Members(ctx context.Context, f MemberFilter) ([]account.Versioned[account.Membership], int, error)
	// MembershipsIn returns every membership of an account, in the order of user ids.
	MembershipsIn(ctx context.Context, id account.ID) ([]account.Membership, error)
	// MembershipsOf returns every membership of a user, in the order of account ids.
	MembershipsOf(ctx context.Context, user account.UserID) ([]account.Membership, error)
	// MembersOnlyHere returns those of the users named who are members of the account and of no other, in the order of their ids.
	MembersOnlyHere(ctx context.Context, id account.ID, users []account.UserID) ([]account.User, error)
	// UsersByID returns the users named, those of them that exist, in no order.
	UsersByID(ctx context.Context, ids []account.UserID) ([]account.User, error)
	// RoleHolders returns how many memberships and API tokens of an account carry a role.
	RoleHolders(ctx context.Context, id account.ID, key account.RoleKey) (int, error)

	Feature(ctx context.Context, key account.FeatureKey) (account.Versioned[account.Feature], error)
	// Features returns every feature of the environment, in the order of their keys.
	Features(ctx context.Context) ([]account.Versioned[account.Feature], error)
	// FeaturesByKey returns the features named, those of them that exist, in the order of their keys.
	FeaturesByKey(ctx context.Context, keys []account.FeatureKey) ([]account.Versioned[account.Feature], error)
	// FeaturePage returns a page of features in the order of their keys, and how many there are.
	FeaturePage(ctx context.Context, f KeyPage) ([]account.Versioned[account.Feature], int, error)
	// FeatureUses returns in how many plans a feature is, and how many switches name it.
	FeatureUses(ctx context.Context, key account.FeatureKey) (plans, switches int, err error)
	// FeatureSwitches returns the switches at an account, in the order of their features, the account's own before its branch's.
	FeatureSwitches(ctx context.Context, id account.ID) ([]account.Versioned[account.FeatureSwitch], error)
	// SwitchesAt returns the switches of the features named at the accounts named, in the order of FeatureSwitches, by account.
	SwitchesAt(ctx context.Context, ids []account.ID, keys []account.FeatureKey) ([]account.Versioned[account.FeatureSwitch], error)
	Plan(ctx context.Context, key account.PlanKey) (account.Versioned[account.Plan], error)
	// Plans returns every plan of the environment, in the order of their keys.
	Plans(ctx context.Context) ([]account.Versioned[account.Plan], error)
	// PlanPage returns a page of plans in the order of their keys, and how many there are.
	PlanPage(ctx context.Context, f KeyPage) ([]account.Versioned[account.Plan], int, error)
	// PlanUses returns to how many accounts a plan was given.
	PlanUses(ctx context.Context, key account.PlanKey) (int, error)

	APIToken(ctx context.Context, id account.APITokenID) (account.Versioned[account.APIToken], error)
	// APITokens returns a page of an account's API tokens in the order of their ids, and how many match in all.
	APITokens(ctx context.Context, f AccountItems) ([]account.Versioned[account.APIToken], int, error)
	// APITokensIn returns every API token of an account, in the order of their ids.
	APITokensIn(ctx context.Context, id account.ID) ([]account.APIToken, error)
	// APITokenUses returns when those of the API tokens named were used last that have been used.
	APITokenUses(ctx context.Context, ids []account.APITokenID) (map[account.APITokenID]time.Time, error)
	// APITokensBy returns every API token that an actor made, in the order of their ids.
	APITokensBy(ctx context.Context, creator account.Actor) ([]account.APIToken, error)

	Invitation(ctx context.Context, id account.InvitationID) (account.Versioned[account.Invitation], error)
	// Invitations returns a page of an account's invitations, of all accounts if it is "", in the order of their ids, and how many match in all.
	Invitations(ctx context.Context, f AccountItems) ([]account.Versioned[account.Invitation], int, error)
	// InvitationsIn returns every invitation to an account, in the order of their addresses.
	InvitationsIn(ctx context.Context, id account.ID) ([]account.Invitation, error)
	// OpenInvitations returns how many invitations to an account can be accepted after a time.
	OpenInvitations(ctx context.Context, id account.ID, at time.Time) (int, error)
	// InvitationTo returns the invitation of a cleaned address to an account.
	InvitationTo(ctx context.Context, id account.ID, email string) (account.Versioned[account.Invitation], error)
	// InvitationSecrets returns the hashes of an invitation's secrets, in no order; none if there is no such invitation.
	InvitationSecrets(ctx context.Context, id account.InvitationID) ([][]byte, error)
	// Deliveries returns what became of the letters of the invitations named, those of them that go by mail.
	Deliveries(ctx context.Context, ids []account.InvitationID) (map[account.InvitationID]Delivery, error)

	Impersonation(ctx context.Context, id account.ImpersonationID) (account.Versioned[account.Impersonation], error)
	// Impersonations returns every session there is a row of, those that have expired included, in the order of their ids.
	Impersonations(ctx context.Context) ([]account.Versioned[account.Impersonation], error)

	// ClientSecrets returns the secrets of a client, expired ones included, in the order of their ids.
	ClientSecrets(ctx context.Context, id account.ClientID) ([]account.Versioned[account.ClientSecret], error)
	// SecretUses returns when those of a client's secrets were used last that have been used.
	SecretUses(ctx context.Context, id account.ClientID) (map[account.SecretID]time.Time, error)

	// KeyRing returns the signing keys, without what they sign with.
	KeyRing(ctx context.Context) (account.KeyRing, error)

	Operator(ctx context.Context, id account.ClientID) (account.Versioned[account.Operator], error)
	// OperatorAt returns the operator who is a subject of a provider, named by its address.
	OperatorAt(ctx context.Context, issuer, subject string) (account.Versioned[account.Operator], error)
	// OperatorByEmail returns the operator with a cleaned address.
	OperatorByEmail(ctx context.Context, email string) (account.Versioned[account.Operator], error)
	// Operators returns a page of the operators who sign in, in the order of their ids, and how many there are.
	Operators(ctx context.Context, f KeyPage) ([]account.Versioned[account.Operator], int, error)
	Issuer(ctx context.Context, id account.IssuerID) (account.Versioned[account.Issuer], error)
	// IssuerAt returns the OpenID provider with an address.
	IssuerAt(ctx context.Context, url string) (account.Versioned[account.Issuer], error)
	// Issuers returns every OpenID provider, in the order of their ids.
	Issuers(ctx context.Context) ([]account.Versioned[account.Issuer], error)
	Identity(ctx context.Context, id account.IdentityID) (account.Versioned[account.Identity], error)
	// IdentityAt returns the link of a subject of a provider, named by its address.
	IdentityAt(ctx context.Context, issuer, subject string) (account.Versioned[account.Identity], error)
	// IdentitiesOf returns every link of the users named, none of them twice, in the order of the links' ids.
	IdentitiesOf(ctx context.Context, users ...account.UserID) ([]account.Versioned[account.Identity], error)
	// IsUnlinked reports whether an operator took away the subject's link, and it has none since, or ever one of the user's.
	IsUnlinked(ctx context.Context, issuer, subject string, user account.UserID) (bool, error)

	// Entities calls fn for every entity, in the order environment, clients, roles, features,
	// plans, accounts (parents before children), users, memberships, assignments, API tokens,
	// invitations, feature switches, impersonations, secrets of clients, operators, issuers, identities. It stops at fn's first error.
	Entities(ctx context.Context, fn func(account.Entity) error) error
	// Entries returns up to limit entries of the journal after a version, oldest first.
	Entries(ctx context.Context, after account.Version, limit int) ([]account.Entry, error)

	// Log returns the entries that q selects, q.Limit at most and fewer if they are large, and
	// whether there are more of them.
	Log(ctx context.Context, q LogQuery) (entries []account.Entry, more bool, err error)
	// LogSpans returns for those of the accounts named which q is about (q.Account, and with
	// q.Branch its branch) between which versions it is.
	LogSpans(ctx context.Context, q LogQuery, among []account.ID) ([]LogSpan, error)
}

// Tx is a Reader that also writes.
type Tx interface {
	Reader

	// Append gives the entry the next version of the environment and a random id, writes its
	// changes to the state rows, and adds it to the journal. The state that each change names as
	// before must be the present one; the caller has read it in this transaction.
	Append(ctx context.Context, entry account.Entry) (account.Version, error)

	// SetSecret keeps the hash of a client's secret; it is never part of the journal (C2).
	SetSecret(ctx context.Context, id account.SecretID, hash []byte) error

	// SetLinked, SetUnlinked and ForgetUnlinked note that a subject of a provider has a link, that its link to a user was
	// taken away, and that users are deleted, for IsUnlinked; that is never part of the journal.
	SetLinked(ctx context.Context, issuer, subject string) error
	SetUnlinked(ctx context.Context, issuer, subject string, user account.UserID) error
	ForgetUnlinked(ctx context.Context, users ...account.UserID) error

	// SetAPITokenSecret keeps the hash of an API token's secret; it is never part of the journal (C2).
	SetAPITokenSecret(ctx context.Context, id account.APITokenID, hash []byte) error
	// AddInvitationSecret keeps the hash of one more secret of an invitation, never part of the journal (I1).
	AddInvitationSecret(ctx context.Context, id account.InvitationID, hash []byte) error
	// DropInvitationSecrets makes the links that an invitation has void.
	DropInvitationSecrets(ctx context.Context, id account.InvitationID) error
	// QueueLetter has a letter sent for an invitation, in place of one that waits; DropLetter has none sent.
	QueueLetter(ctx context.Context, id account.InvitationID, job string) error
	DropLetter(ctx context.Context, id account.InvitationID) error
	// GiveUpLetter notes why the letter of an invitation is not to be tried any more.
	GiveUpLetter(ctx context.Context, id account.InvitationID, cause string) error
	// QueuedLetter returns the invitation of a job, and whether the job is still to be
	// done: not sent, not given up, and not claimed by another since.
	QueuedLetter(ctx context.Context, job LetterJob) (account.InvitationID, bool, error)

	// Recall returns what Remember kept under a key, and whether it did.
	Recall(ctx context.Context, key string) (Remembered, bool, error)
	// Remember keeps the outcome of a request under its idempotency key.
	Remember(ctx context.Context, key string, r Remembered) error
}

// Remembered is the outcome of a request that carried an idempotency key.
type Remembered struct {
	Fingerprint []byte          // hash of the request, to tell a repeat from a misuse of the key
	Version     account.Version // of the entry that the request wrote
	Result      []byte          // what the use case returned, as JSON
}

// AllowLists says from where requests may come (E3); "" is anywhere.
type AllowLists struct {
	Environment account.Networks
	Accounts    map[account.ID]account.Networks // none of them is ""
}

// AccountFilter selects accounts.
type AccountFilter struct {
	Under account.ID  // the account and all below it; "" for all
	Child *account.ID // only the direct children of this account; "" is the root accounts; nil for any
	Query string      // part of the name or id, folded (account.Fold); "" for all
	After account.ID  // only ids greater than this
	Limit int         // at most this many; at least 1
}

// UserFilter selects users.
type UserFilter struct {
	Query string // part of the name, e-mail address or id, folded; "" for all
	After account.UserID
	Limit int
}

// MemberFilter selects memberships of one account.
type MemberFilter struct {
	Account account.ID
	Role    account.RoleKey // only who carries this role; "" for all
	Query   string          // part of the user's name, e-mail address or id, folded; "" for all
	After   account.UserID
	Limit   int
}

// KeyPage selects a page of features or plans.
type KeyPage struct {
	After string // only keys greater than this
	Limit int    // at most this many; at least 1
}

// AccountItems selects API tokens or invitations of one account.
type AccountItems struct {
	Account account.ID
	Query   string // part of the name, e-mail address or id, folded; "" for all
	After   string // only ids greater than this
	Limit   int
}

// RoleUse is a role of an account, in use in another one.
type RoleUse struct {
	Role    account.RoleKey
	Owner   account.ID // the account that the role belongs to
	Account account.ID // that uses it
}

// Counts are the figures of an account's summary (A6).
type Counts struct {
	Members     int // memberships, expired ones included
	Children    int // direct sub-accounts
	Descendants int // all sub-accounts of the branch
}
