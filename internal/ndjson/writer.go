package ndjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// Writer writes entities as lines that Read reads back.
type Writer struct {
	w        io.Writer
	line     bytes.Buffer
	enc      *json.Encoder
	alwaysOn map[account.ID]bool // accounts of this environment, written so far
}

// NewWriter returns a Writer that calls w.Write once a line: a bufio.Writer around a file pays.
func NewWriter(w io.Writer) *Writer {
	out := &Writer{w: w, alwaysOn: map[account.ID]bool{}}
	out.enc = json.NewEncoder(&out.line)
	out.enc.SetEscapeHTML(false)
	return out
}

type environmentLine struct {
	Kind               string                `json:"kind"`
	ID                 account.EnvironmentID `json:"id"`
	Name               string                `json:"name"`
	SubAccountsEnabled bool                  `json:"sub_accounts_enabled"`
	DefaultAccessMode  account.AccessMode    `json:"default_access_mode,omitempty"`
	MaxDepth           int                   `json:"max_depth,omitempty"`
	InvitationURL      string                `json:"invitation_url,omitempty"`
	InvitationHours    int                   `json:"invitation_hours,omitempty"`
	TokenMinutes       int                   `json:"token_minutes,omitempty"`
	ExchangeOnly       bool                  `json:"exchange_only,omitempty"`
	IPAllowList        account.Networks      `json:"ip_allow_list,omitempty"`
}

type roleLine struct {
	Kind        string                  `json:"kind"`
	Key         account.RoleKey         `json:"key"`
	Name        string                  `json:"name,omitempty"`
	Account     *account.ID             `json:"account"`
	Permissions []account.PermissionKey `json:"permissions"`
}

type accountLine struct {
	Kind                 string             `json:"kind"`
	ID                   account.ID         `json:"id"`
	Name                 string             `json:"name"`
	Parent               *account.ID        `json:"parent"`
	SubAccountManagement bool               `json:"sub_account_management"`
	AccessMode           account.AccessMode `json:"sub_account_access,omitempty"`
	Plan                 account.PlanKey    `json:"plan,omitempty"`
	IPAllowList          account.Networks   `json:"ip_allow_list,omitempty"`
	CreatedAt            time.Time          `json:"created_at,omitzero"`
}

type userLine struct {
	Kind      string         `json:"kind"`
	ID        account.UserID `json:"id"`
	Email     string         `json:"email"`
	Name      string         `json:"name,omitempty"`
	Blocked   bool           `json:"blocked"`
	CreatedAt time.Time      `json:"created_at,omitzero"`
}

type membershipLine struct {
	Kind             string            `json:"kind"`
	Account          account.ID        `json:"account"`
	User             account.UserID    `json:"user"`
	Roles            []account.RoleKey `json:"roles"`
	SubAccountAccess *bool             `json:"sub_account_access,omitempty"`
	KeptFromAlwaysOn bool              `json:"kept_from_always_on,omitempty"`
	ExpiresAt        *time.Time        `json:"expires_at,omitempty"`
}

// Write writes one line; equal entities in equal order give equal bytes. Credentials
// and assignments, which follow from memberships, are passed over without an error, as are invitations. Accounts come before their members.
//
// A membership without sub-account access of its own says so (false), lest a default_on
// account give it some on loading (S3); in an account that was written as always_on, where
// access cannot be refused, it says nothing. Creation times of environments and memberships
// are not part of the format. Errors are those of the underlying writer, and an Invalid
// fault (line_too_long) for a line that Read would refuse.
func (w *Writer) Write(e account.Entity) error {
	switch {
	case e.Environment != nil:
		clear(w.alwaysOn)
		v := e.Environment
		return w.put(environmentLine{
			kindEnvironment, v.ID, v.Name, v.SubAccountsEnabled, v.DefaultAccessMode, v.MaxDepth,
			v.InvitationURL, v.InvitationHours, v.TokenMinutes, v.ExchangeOnly, v.IPAllowList,
		})
	case e.Role != nil:
		v := e.Role
		return w.put(roleLine{kindRole, v.Key, v.Name, orNull(v.Account), orEmpty(v.Permissions)})
	case e.Account != nil:
		v := e.Account
		if v.AccessMode == account.AlwaysOn {
			w.alwaysOn[v.ID] = true
		}
		return w.put(accountLine{kindAccount, v.ID, v.Name, orNull(v.Parent), v.SubAccountManagement, v.AccessMode, v.Plan, v.IPAllowList, v.CreatedAt.UTC()})
	case e.User != nil:
		v := e.User
		return w.put(userLine{kindUser, v.ID, v.Email, v.Name, v.Blocked, v.CreatedAt.UTC()})
	case e.Membership != nil:
		return w.put(w.membership(e.Membership))
	case e.Feature != nil, e.Plan != nil, e.FeatureSwitch != nil:
		return w.put(entitlement(e))
	case e.Client != nil, e.Assignment != nil,
		e.Invitation != nil, e.APIToken != nil, e.Impersonation != nil,
		e.ClientSecret != nil, e.Operator != nil, e.Issuer != nil, e.Identity != nil:
		return nil
	default:
		return errors.New("ndjson: an entity with nothing in it")
	}
}

func (w *Writer) membership(m *account.Membership) membershipLine {
	line := membershipLine{Kind: kindMembership, Account: m.Account, User: m.User, Roles: orEmpty(m.Roles)}
	own := m.BranchAccess != account.NoBranchAccess
	if own || !w.alwaysOn[m.Account] {
		line.SubAccountAccess = &own
	}
	line.KeptFromAlwaysOn = m.BranchAccess == account.KeptFromAlwaysOn
	if m.ExpiresAt != nil {
		at := m.ExpiresAt.UTC().Truncate(time.Second)
		line.ExpiresAt = &at
	}
	return line
}

func (w *Writer) put(line any) error {
	w.line.Reset()
	if err := w.enc.Encode(line); err != nil {
		return err
	}
	if w.line.Len()-len("\n") > MaxLine {
		return fault.New(fault.Invalid, "line_too_long", "a line of the export would be longer than %d bytes", MaxLine)
	}
	_, err := w.w.Write(w.line.Bytes())
	return err
}

func orNull(id account.ID) *account.ID {
	if id == "" {
		return nil
	}
	return &id
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
