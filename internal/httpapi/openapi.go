package httpapi

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const schemaPrefix = "#/components/schemas/"

// The groups of operations in the document.
const (
	tagAccess      = "access"
	tagAccounts    = "accounts"
	tagMembers     = "members"
	tagInvitations = "invitations"
	tagUsers       = "users"
	tagRoles       = "roles"
	tagFeatures    = "features"
	tagMachines    = "machines"
	tagSupport     = "impersonation"
	tagEnvironment = "environment"
	tagTokens      = "tokens"
	tagSignIn      = "sign-in"
	tagJournal     = "journal"
	tagOperational = "operational"
)

func tags() []*huma.Tag {
	return []*huma.Tag{
		{Name: tagAccess, Description: "May this subject do this here, and which accounts may this user open?"},
		{Name: tagAccounts, Description: "Accounts and sub-accounts."},
		{Name: tagMembers, Description: "Who belongs to an account, with which roles, and whether they hold below it."},
		{Name: tagInvitations, Description: "Offers of a membership to whoever reads the mail of an address."},
		{Name: tagUsers, Description: "People: one identity in the environment, members of one or more accounts."},
		{Name: tagRoles, Description: "Named sets of permissions, and the catalogue that they are made of."},
		{Name: tagFeatures, Description: "Features of the vendor's product, plans that hold them, and which of them an account has."},
		{Name: tagMachines, Description: "API tokens: machine members of an account, with roles as people have them."},
		{Name: tagSupport, Description: "Operators who act as a user for a while, for a stated reason; all that they do is in the journal with both names."},
		{Name: tagEnvironment, Description: "The environment that the token belongs to, its settings and its clients."},
		{Name: tagTokens, Description: "OAuth 2.0: access tokens for clients, and the keys that verify them."},
		{Name: tagSignIn, Description: "Who is calling: the OpenID providers that are trusted, the vendor's people who sign in there, and which user is whom there."},
		{Name: tagJournal, Description: "Every change: who, when, from where, what, before and after."},
		{Name: tagOperational, Description: "Probes, metrics and this document; without a token."},
	}
}

const description = `Tenantry keeps a hierarchy of accounts, users and roles, and answers what a user may do and which accounts a user may open.

The environment comes with the token. Errors are RFC 9457 problems: act on their code. Unknown fields and parameters are refused; null in an optional field is as if it were absent. Identifiers are 1 to 64 of A-Z a-z 0-9 _ -. Times are RFC 3339 in UTC.

A change answers 200 or 201 when it is in force, and 202 when it is durable but not in force yet. Its Consistency-Token, sent with a question, makes the answer see it.`

// OpenAPI returns the document of the API, as JSON. Equal code gives equal bytes.
func OpenAPI() ([]byte, error) {
	return renderJSON(build(Deps{Metrics: http.NotFoundHandler()}, Config{}).api)
}

func renderJSON(api huma.API) ([]byte, error) {
	text, err := json.Marshal(api.OpenAPI())
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// encodeJSON writes an answer's body.
func encodeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// documentPending adds the answer 202 to an operation that answers changes.
func documentPending[O any](op huma.Operation) {
	if _, changes := reflect.TypeFor[O]().FieldByName("Status"); !changes {
		return
	}
	status := op.DefaultStatus
	if status == 0 {
		status = http.StatusOK
	}
	done := op.Responses[strconv.Itoa(status)]
	op.Responses[strconv.Itoa(http.StatusAccepted)] = &huma.Response{
		Description: "Durable, and not yet in force", Headers: done.Headers, Content: done.Content,
	}
}

func (s *server) schemaOf(v any) *huma.Schema {
	return s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(v), true, "")
}

// document describes a route that is not huma's.
func (s *server) document(path, id, summary, mediaType string, schema *huma.Schema, mayFail bool) {
	answers := map[string]*huma.Response{
		"200": {Description: "OK", Content: map[string]*huma.MediaType{mediaType: {Schema: schema}}},
	}
	if mayFail {
		answers["503"] = &huma.Response{Description: "Service Unavailable", Content: map[string]*huma.MediaType{problemType: {Schema: s.schemaOf(Problem{})}}}
	}
	s.api.OpenAPI().AddOperation(&huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{tagOperational},
		Security: []map[string][]string{}, Responses: answers,
	})
}

// refine makes the generated document say what is meant: only what callers send
// is closed to other fields, answers may gain some; and no description stands twice.
func refine(doc *huma.OpenAPI) {
	sent := map[string]bool{}
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			for _, p := range op.Parameters {
				if p.Schema != nil && p.Schema.Description == p.Description {
					p.Schema.Description = ""
				}
			}
			if op.RequestBody != nil {
				for _, media := range op.RequestBody.Content {
					mark(doc.Components.Schemas, media.Schema, sent)
				}
			}
		}
	}
	for name, schema := range doc.Components.Schemas.Map() {
		if !sent[name] {
			schema.AdditionalProperties = nil
		}
	}
}

// mark adds the names of the schemas that s refers to.
func mark(registry huma.Registry, s *huma.Schema, names map[string]bool) {
	if s == nil {
		return
	}
	if name := strings.TrimPrefix(s.Ref, schemaPrefix); s.Ref != "" && !names[name] {
		names[name] = true
		mark(registry, registry.SchemaFromRef(s.Ref), names)
	}
	mark(registry, s.Items, names)
	for _, property := range s.Properties {
		mark(registry, property, names)
	}
}
