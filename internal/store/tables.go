package store

import (
	"fmt"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// table is one of the tables that hold state, and the statements that change
// many of its rows at once. Each takes the environment and then the rows, as a
// JSON array of arrays: the values of the columns in their order, the key's
// first. None names more than the key's columns for remove.
type table struct {
	name    string
	noun    string // what a row is, for people
	code    string // of the fault for a row whose key is taken; "" if that cannot happen to a caller
	columns int
	key     int  // columns that identify a row within the environment
	singly  bool // updates go row by row: a row may take a unique value that the row before it gives up

	insert, update, remove string
}

// column is a column's name and type, e.g. "created_at BIGINT".
type column string

func (c column) name() string { return strings.Fields(string(c))[0] }

// value is the expression for the column's value in the nth place of a JSON row.
func (c column) value(n int) string {
	return fmt.Sprintf("CAST(v.value ->> %d AS %s)", n, strings.Fields(string(c))[1])
}

// newTable builds the statements. environment is the name of the column that
// holds the environment; key and others are the other columns.
func newTable(t table, environment string, key, others []column) *table {
	t.key, t.columns = len(key), len(key)+len(others)
	names := []string{environment}
	inserted := []string{"CAST(? AS TEXT)"}
	given := []string{"CAST(? AS TEXT) AS environment"}
	same := []string{t.name + "." + environment + " = v.environment"}
	var set, keyNames, keyValues []string
	for i, c := range append(append([]column{}, key...), others...) {
		names = append(names, c.name())
		inserted = append(inserted, c.value(i))
		given = append(given, c.value(i)+" AS "+c.name())
		if i >= t.key {
			set = append(set, c.name()+" = v."+c.name())
			continue
		}
		same = append(same, t.name+"."+c.name()+" = v."+c.name())
		keyNames = append(keyNames, c.name())
		keyValues = append(keyValues, c.value(i))
	}
	rows := " FROM @rows(?) AS v"
	t.insert = "INSERT INTO " + t.name + " (" + strings.Join(names, ", ") + ") SELECT " + strings.Join(inserted, ", ") + rows
	// Materialized, so that both databases go through the rows given and look
	// up each one's, rather than through the environment comparing each with all given.
	t.update = "WITH v AS MATERIALIZED (SELECT " + strings.Join(given, ", ") + rows + ") UPDATE " + t.name +
		" SET " + strings.Join(set, ", ") + " FROM v WHERE " + strings.Join(same, " AND ")
	if t.key == 0 {
		return &t // its rows are never removed
	}
	t.remove = "DELETE FROM " + t.name + " WHERE " + environment + " = ? AND (" + strings.Join(keyNames, ", ") +
		") IN (SELECT " + strings.Join(keyValues, ", ") + rows + ")"
	return &t
}

// The tables of state. None of these is ever changed.
var (
	environmentsTable = newTable(table{name: "environments", noun: "an environment", code: "environment_exists"}, "id", nil,
		[]column{
			"name TEXT", "sub_accounts_enabled BOOLEAN", "default_access_mode TEXT", "max_depth BIGINT", "invitation_url TEXT", "invitation_hours BIGINT",
			"token_minutes BIGINT", "ip_allow_list TEXT", "exchange_only BOOLEAN", "keys_rotated_at BIGINT", "keys_revoked_at BIGINT",
			"created_at BIGINT", "version BIGINT",
		})
	clientsTable = newTable(table{name: "clients", noun: "a client", code: "client_exists"}, "environment", []column{"id TEXT"},
		[]column{"name TEXT", "roles TEXT", "act_for_users BOOLEAN", "scopes TEXT", "created_at BIGINT", "version BIGINT"})
	accountsTable = newTable(table{name: "accounts", noun: "an account", code: "account_exists"}, "environment", []column{"id TEXT"},
		[]column{"parent TEXT", "name TEXT", "search TEXT", "sub_account_management BOOLEAN", "access_mode TEXT", "plan TEXT", "ip_allow_list TEXT", "created_at BIGINT", "version BIGINT"})
	usersTable = newTable(table{name: "users", noun: "a user", code: "user_exists", singly: true}, "environment", []column{"id TEXT"},
		[]column{"email TEXT", "name TEXT", "search TEXT", "blocked BOOLEAN", "created_at BIGINT", "version BIGINT"})
	rolesTable = newTable(table{name: "roles", noun: "a role", code: "role_exists"}, "environment", []column{"id TEXT"},
		[]column{"name TEXT", "account_id TEXT", "version BIGINT"})
	rolePermissionsTable = newTable(table{name: "role_permissions"}, "environment", []column{"role TEXT", "permission TEXT"}, nil)
	membershipsTable     = newTable(table{name: "memberships", noun: "a membership", code: "membership_exists"}, "environment",
		[]column{"account_id TEXT", "user_id TEXT"}, []column{"branch_access TEXT", "expires_at BIGINT", "created_at BIGINT", "version BIGINT"})
	membershipRolesTable = newTable(table{name: "membership_roles"}, "environment", []column{"account_id TEXT", "user_id TEXT", "role TEXT"}, nil)
	assignmentsTable     = newTable(table{name: "assignments"}, "environment", []column{"account_id TEXT", "role TEXT"},
		[]column{"always_on BOOLEAN", "version BIGINT"})
	featuresTable = newTable(table{name: "features", noun: "a feature", code: "feature_exists"}, "environment", []column{"id TEXT"},
		[]column{"name TEXT", "description TEXT", "permission TEXT", "version BIGINT"})
	plansTable = newTable(table{name: "plans", noun: "a plan", code: "plan_exists"}, "environment", []column{"id TEXT"},
		[]column{"name TEXT", "description TEXT", "version BIGINT"})
	planFeaturesTable    = newTable(table{name: "plan_features"}, "environment", []column{"plan TEXT", "feature TEXT"}, nil)
	featureSwitchesTable = newTable(table{name: "feature_switches"}, "environment", []column{"account_id TEXT", "feature TEXT", "branch BOOLEAN"},
		[]column{"is_on BOOLEAN", "version BIGINT"})
	apiTokensTable = newTable(table{name: "api_tokens", noun: "an API token", code: "api_token_exists"}, "environment", []column{"id TEXT"},
		[]column{"account_id TEXT", "name TEXT", "search TEXT", "branch_access TEXT", "expires_at BIGINT", "created_by TEXT", "creator TEXT", "created_at BIGINT", "version BIGINT"})
	apiTokenRolesTable = newTable(table{name: "api_token_roles"}, "environment", []column{"token TEXT", "role TEXT"}, nil)
	invitationsTable   = newTable(table{name: "invitations", noun: "an invitation", code: "invitation_exists", singly: true}, "environment", []column{"id TEXT"},
		[]column{
			"account_id TEXT", "email TEXT", "name TEXT", "search TEXT", "roles TEXT", "mode TEXT", "sub_account_access BOOLEAN",
			"membership_expires_at BIGINT", "invited_by TEXT", "created_at BIGINT", "sent_at BIGINT", "expires_at BIGINT", "version BIGINT",
		})
	clientSecretsTable = newTable(table{name: "client_secrets", noun: "a secret", code: "secret_exists"}, "environment", []column{"id TEXT"},
		[]column{"client TEXT", "expires_at BIGINT", "created_at BIGINT", "version BIGINT"})
	operatorsTable = newTable(table{name: "operators", noun: "an operator", code: "operator_exists", singly: true}, "environment", []column{"id TEXT"},
		[]column{"email TEXT", "name TEXT", "roles TEXT", "issuer TEXT", "subject TEXT", "created_at BIGINT", "version BIGINT"})
	issuersTable = newTable(table{name: "issuers", noun: "an issuer", code: "issuer_exists", singly: true}, "environment", []column{"id TEXT"},
		[]column{"name TEXT", "url TEXT", "audiences TEXT", "purpose TEXT", "link_by_email BOOLEAN", "email_domains TEXT", "created_at BIGINT", "version BIGINT"})
	identitiesTable = newTable(table{name: "identities", noun: "an identity", code: "identity_exists", singly: true}, "environment", []column{"id TEXT"},
		[]column{"issuer TEXT", "subject TEXT", "user_id TEXT", "created_at BIGINT", "version BIGINT"})
	impersonationsTable = newTable(table{name: "impersonations", noun: "an impersonation", code: "impersonation_exists"}, "environment", []column{"id TEXT"},
		[]column{
			"user_id TEXT", "operator TEXT", "person BOOLEAN", "reason TEXT", "secret TEXT", "scopes TEXT", "issuer TEXT", "subject TEXT", "audience TEXT",
			"created_at BIGINT", "expires_at BIGINT", "version BIGINT",
		})
)

// taken is the fault for rows of which one has a key that is in use.
func (t *table) taken(rows [][]any, cause error) error {
	if t.code == "" {
		return cause
	}
	which := "one of the identifiers given"
	if len(rows) == 1 {
		which = "the identifier given"
		if t.key == 1 {
			which = fmt.Sprintf("the identifier %s", account.Quote(fmt.Sprint(rows[0][0])))
		}
	}
	return fault.New(fault.Exists, t.code, "%s with %s exists already", t.noun, which)
}

// valueTaken is the fault for rows of which one has another unique value that is in use.
func (t *table) valueTaken(cause error) error {
	switch t {
	case operatorsTable:
		return fault.New(fault.Exists, "operator_exists", "another operator has this e-mail address, or is this subject of the provider").In("email").Because(cause)
	case issuersTable:
		return fault.New(fault.Exists, "issuer_exists", "the environment has this issuer already").In("url").Because(cause)
	case identitiesTable:
		return fault.New(fault.Exists, "identity_exists", "this subject of the provider is linked to a user already").In("subject").Because(cause)
	case invitationsTable:
		return fault.New(fault.Exists, "already_invited", "this address is invited to this account already; withdraw that invitation, or send it again").In("email").Because(cause)
	}
	return emailTaken(cause)
}

// emailTaken is the fault for users of which one has an address that is in use.
func emailTaken(cause error) error {
	return fault.New(fault.Exists, "email_taken", "another user has this e-mail address").In("email").Because(cause)
}
