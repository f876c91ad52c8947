package store

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// record is an entity as rows: one of its table, and for roles and memberships
// one of parts for each key that they carry.
type record struct {
	table *table
	row   []any // as the table's statements take it

	parts   *table
	carried []string
}

// key is the part of the row that names it.
func (r record) key() []any { return r.row[:r.table.key] }

// part is the row of parts for a key that the record carries.
func (r record) part(carried string) []any { return append(slices.Clone(r.key()), carried) }

// recordOf returns the rows of an entity, at the version that the change gives it.
func recordOf(e *account.Entity, version account.Version) (record, error) {
	switch {
	case e.Environment != nil:
		v := e.Environment
		return record{table: environmentsTable, row: []any{
			v.Name, v.SubAccountsEnabled, v.DefaultAccessMode, v.MaxDepth, v.InvitationURL, v.InvitationHours, v.TokenMinutes, v.IPAllowList.Text(), v.ExchangeOnly,
			microsOrNull(v.KeysRotatedAt), microsOrNull(v.KeysRevokedAt), micros(v.CreatedAt), version,
		}}, nil
	case e.Client != nil:
		v := e.Client
		roles, err := jsonOf(v.Roles)
		return record{table: clientsTable, row: []any{
			v.ID, v.Name, roles, v.ActForUsers, v.Scopes, micros(v.CreatedAt), version,
		}}, err
	case e.Account != nil:
		v := e.Account
		var parent *account.ID
		if v.Parent != "" {
			parent = &v.Parent
		}
		return record{table: accountsTable, row: []any{
			v.ID, parent, v.Name, searchText(v.Name, string(v.ID)), v.SubAccountManagement, v.AccessMode, v.Plan, v.IPAllowList.Text(), micros(v.CreatedAt), version,
		}}, nil
	case e.User != nil:
		v := e.User
		return record{table: usersTable, row: []any{
			v.ID, v.Email, v.Name, searchText(v.Name, v.Email, string(v.ID)), v.Blocked, micros(v.CreatedAt), version,
		}}, nil
	case e.Role != nil:
		v := e.Role
		return record{
			table: rolesTable, row: []any{v.Key, v.Name, v.Account, version},
			parts: rolePermissionsTable, carried: texts(v.Permissions),
		}, nil
	case e.Membership != nil:
		v := e.Membership
		return record{
			table: membershipsTable, row: []any{v.Account, v.User, v.BranchAccess, microsOrNull(v.ExpiresAt), micros(v.CreatedAt), version},
			parts: membershipRolesTable, carried: texts(v.Roles),
		}, nil
	case e.Assignment != nil:
		v := e.Assignment
		return record{table: assignmentsTable, row: []any{v.Account, v.Role, v.AlwaysOn, version}}, nil
	default:
		return recordOfMore(e, version)
	}
}

// recordOfMore is recordOf for entitlements and credentials.
func recordOfMore(e *account.Entity, version account.Version) (record, error) {
	switch {
	case e.Feature != nil:
		v := e.Feature
		return record{table: featuresTable, row: []any{v.Key, v.Name, v.Description, v.Permission, version}}, nil
	case e.Plan != nil:
		v := e.Plan
		return record{
			table: plansTable, row: []any{v.Key, v.Name, v.Description, version},
			parts: planFeaturesTable, carried: texts(v.Features),
		}, nil
	case e.FeatureSwitch != nil:
		v := e.FeatureSwitch
		return record{table: featureSwitchesTable, row: []any{v.Account, v.Feature, v.Branch, v.On, version}}, nil
	case e.APIToken != nil:
		v := e.APIToken
		by, err := jsonOf(v.CreatedBy)
		return record{
			table: apiTokensTable, row: []any{
				v.ID, v.Account, v.Name, searchText(v.Name, string(v.ID)), v.BranchAccess, microsOrNull(v.ExpiresAt),
				by, v.CreatedBy.Name(), micros(v.CreatedAt), version,
			},
			parts: apiTokenRolesTable, carried: texts(v.Roles),
		}, err
	case e.Invitation != nil:
		v := e.Invitation
		by, err := jsonOf(v.InvitedBy)
		if err != nil {
			return record{}, err
		}
		roles, err := jsonOf(v.Roles)
		return record{table: invitationsTable, row: []any{
			v.ID, v.Account, v.Email, v.Name, searchText(v.Name, v.Email, string(v.ID)), roles, v.Mode, v.SubAccountAccess,
			microsOrNull(v.MembershipExpiresAt), by, micros(v.CreatedAt), micros(v.SentAt), micros(v.ExpiresAt), version,
		}}, err
	case e.Impersonation != nil:
		v := e.Impersonation
		return record{table: impersonationsTable, row: []any{
			v.ID, v.User, v.Operator, v.Person, v.Reason, v.Secret, v.Scopes, v.Issuer, v.Subject, v.Audience,
			micros(v.CreatedAt), micros(v.ExpiresAt), version,
		}}, nil
	default:
		return recordOfSignIn(e, version)
	}
}

// recordOfSignIn is recordOf for what callers are told by.
func recordOfSignIn(e *account.Entity, version account.Version) (record, error) {
	switch {
	case e.ClientSecret != nil:
		v := e.ClientSecret
		return record{table: clientSecretsTable, row: []any{v.ID, v.Client, microsOrNull(v.ExpiresAt), micros(v.CreatedAt), version}}, nil
	case e.Operator != nil:
		v := e.Operator
		roles, err := jsonOf(v.Roles)
		return record{table: operatorsTable, row: []any{
			v.ID, v.Email, v.Name, roles, textOrNull(v.Issuer), textOrNull(v.Subject), micros(v.CreatedAt), version,
		}}, err
	case e.Issuer != nil:
		v := e.Issuer
		audiences, err := jsonOf(v.Audiences)
		if err != nil {
			return record{}, err
		}
		domains, err := jsonOf(v.EmailDomains)
		return record{table: issuersTable, row: []any{
			v.ID, v.Name, v.URL, audiences, v.Purpose, v.LinkByEmail, domains, micros(v.CreatedAt), version,
		}}, err
	case e.Identity != nil:
		v := e.Identity
		return record{table: identitiesTable, row: []any{v.ID, v.Issuer, v.Subject, v.User, micros(v.CreatedAt), version}}, nil
	default:
		return record{}, errors.New("store: an entity of the entry is empty")
	}
}

func microsOrNull(t *time.Time) *int64 {
	if t == nil {
		return nil
	}
	return new(micros(*t))
}

func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func micros(t time.Time) int64 { return t.UnixMicro() }

// searchText is what a query is looked for in: the folded texts, kept apart by a
// character that no name holds.
func searchText(texts ...string) string {
	folded := make([]string, len(texts))
	for i, t := range texts {
		folded[i] = account.Fold(t)
	}
	return strings.Join(folded, "\n")
}

func texts[T ~string](values []T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}
