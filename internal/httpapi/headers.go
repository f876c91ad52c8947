package httpapi

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// Caller is embedded by every input: the headers that all operations take.
type Caller struct {
	ActForUser string                   `header:"Act-For-User" doc:"The user in whose name the client calls, and whose rights decide; the client must be allowed to. Without it the client's own portal roles decide." example:"ada"`
	Token      account.ConsistencyToken `header:"Consistency-Token" doc:"What a write or an earlier question answered: the request is decided and answered as of that version or a later one, or with 503. Without it a question is answered as of the newest version that this server knows to be in force."`
	Env        string                   `header:"Tenantry-Environment" doc:"The environment that is meant. The token of an OpenID provider needs it; with all other credentials it may be left out, and has to be theirs." example:"production"`
	RequestID  string                   `header:"X-Request-Id" doc:"An id for the request, for the log and the journal: 1 to 64 of A-Z a-z 0-9 . _ -. One is made if it is absent or malformed."`
}

// Precondition is embedded by inputs of changes that If-Match can guard.
type Precondition struct {
	IfMatch string `header:"If-Match" doc:"The ETag of the state that the caller has seen, such as \"17\"; the change is refused (412) if there is a newer one. * or no header is any state."`
}

func (*Precondition) guarded() {}

// Idempotent is embedded by inputs of creations that can be repeated safely.
type Idempotent struct {
	IdempotencyKey string `header:"Idempotency-Key" doc:"A name of the caller's for this request, at most 255 characters. A repeat with the same key and body gets the first answer; one with another body is refused (409)."`
}

func (i *Idempotent) idempotencyKey() string { return i.IdempotencyKey }

// parseIfMatch reads the header If-Match: a version in quotes; 0 for "*" and for none.
// An Invalid fault (invalid_if_match) otherwise.
func parseIfMatch(header string) (account.Version, error) {
	if header == "" || header == "*" {
		return 0, nil
	}
	bad := fault.New(fault.Invalid, "invalid_if_match", `If-Match is the ETag of one state, such as "17" with its quotes, or *`).In("If-Match")
	digits, ok := strings.CutPrefix(header, `"`)
	if ok {
		digits, ok = strings.CutSuffix(digits, `"`)
	}
	version, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || version < 1 || etag(account.Version(version)) != header {
		return 0, bad
	}
	return account.Version(version), nil
}

// etag is the reverse of parseIfMatch; "" for no version.
func etag(version account.Version) string {
	if version == 0 {
		return ""
	}
	return `"` + strconv.FormatInt(int64(version), 10) + `"`
}

// tokenAt is the consistency token of a version; "" for none.
func tokenAt(req directory.Request, version account.Version) account.ConsistencyToken {
	if version == 0 {
		return ""
	}
	return account.TokenAt(req.Actor.Environment, version)
}

// Plain is an answer without headers of its own.
type Plain[B any] struct {
	Body B
}

// Tagged is an answer with the state of one thing.
type Tagged[B any] struct {
	ETag string `header:"ETag" doc:"The version of the last change, for If-Match." example:"\"17\""`
	Body B
}

// Answer is an answer to a question about access.
type Answer[B any] struct {
	Token account.ConsistencyToken `header:"Consistency-Token" doc:"The version that the answer saw; send it with later questions to see no older one."`
	Body  B
}

// Written is the answer to a change.
type Written[B any] struct {
	Status int
	ETag   string                   `header:"ETag" doc:"The version of the change, for If-Match. Not with deletions."`
	Token  account.ConsistencyToken `header:"Consistency-Token" doc:"Names the change: a question sent with it sees the change."`
	Body   B
}

// Applied is embedded by the bodies of answers to changes.
type Applied struct {
	Applied bool `json:"applied" doc:"Whether the change is in force: true with 200 and 201. With 202 it is durable, and in force later."`
}

// written answers a change with the given status, or with 202 if it is not in force yet.
func written[T, B any](req directory.Request, r directory.Result[T], status int, body B) *Written[B] {
	if !r.Applied {
		status = http.StatusAccepted
	}
	return &Written[B]{Status: status, ETag: etag(r.ETag), Token: tokenAt(req, r.Version), Body: body}
}

// deleted answers a deletion: what is gone has no ETag.
func deleted[T, B any](req directory.Request, r directory.Result[T], body B) *Written[B] {
	w := written(req, r, http.StatusOK, body)
	w.ETag = ""
	return w
}

// applied is the Applied of a result.
func applied[T any](r directory.Result[T]) Applied { return Applied{r.Applied} }
