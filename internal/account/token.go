package account

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/internal/fault"
)

// ConsistencyToken names a version of an environment, as callers see it: what a
// write answers with, and what a read may demand to be at least as fresh as.
// Callers must not look inside.
type ConsistencyToken string

const tokenPrefix = "tc1."

// TokenAt returns the token of a version of an environment.
func TokenAt(env EnvironmentID, version Version) ConsistencyToken {
	text := string(env) + ":" + strconv.FormatInt(int64(version), 10)
	return ConsistencyToken(tokenPrefix + base64.RawURLEncoding.EncodeToString([]byte(text)))
}

// VersionIn returns the version that the token names in env, 0 for an empty
// token. An Invalid fault (invalid_consistency_token) if it is malformed or of
// another environment.
func (t ConsistencyToken) VersionIn(env EnvironmentID) (Version, error) {
	if t == "" {
		return 0, nil
	}
	bad := fault.New(fault.Invalid, "invalid_consistency_token", "the consistency token is not one of this environment; send back what a write answered, unchanged").In("Consistency-Token")
	code, ok := strings.CutPrefix(string(t), tokenPrefix)
	if !ok || len(code) > 256 {
		return 0, bad
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(code)
	if err != nil {
		return 0, bad
	}
	name, number, _ := strings.Cut(string(text), ":")
	version, err := strconv.ParseInt(number, 10, 64)
	if err != nil || version < 1 || name != string(env) || TokenAt(env, Version(version)) != t {
		return 0, bad
	}
	return Version(version), nil
}
