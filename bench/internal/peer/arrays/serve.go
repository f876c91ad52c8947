package arrays

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/tenantry/tenantry/bench/internal/tree"
)

// role is the environment variable that makes this program the bare server: address, accounts, users and seed.
const role = "TENANTRY_BENCH_ARRAYS"

// ServeIfAsked makes the process the bare server if that is what it was started as: then it
// serves until it is interrupted, and exits. Otherwise it returns at once.
func ServeIfAsked() {
	said := os.Getenv(role)
	if said == "" {
		return
	}
	if err := serve(said); err != nil {
		fmt.Fprintln(os.Stderr, "bench arrays:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serve(said string) error {
	var address string
	var size tree.Size
	if _, err := fmt.Sscan(said, &address, &size.Accounts, &size.Users, &size.Seed); err != nil {
		return err
	}
	w, err := tree.New(size)
	if err != nil {
		return err
	}
	s := New()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := s.Load(ctx, w); err != nil {
		return err
	}
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	const patience = 10 * time.Second
	server := http.Server{Handler: s.handler(), ReadHeaderTimeout: patience}
	go func() {
		<-ctx.Done()
		_ = server.Close() // there is nothing under way that matters
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// handler is net/http and encoding/json with nothing else: no callers, no limits, no log.
func (s *System) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/check", s.answerCheck)
	mux.HandleFunc("GET /v1/users/{user}/accounts", s.answerPage)
	mux.HandleFunc("GET /v1/users/{user}/accounts/ids", s.answerIDs)
	mux.HandleFunc("PUT /v1/accounts/{account}/members/{user}", s.answerPut)
	mux.HandleFunc("DELETE /v1/accounts/{account}/members/{user}", s.answerRemove)
	return mux
}

func say(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // fails only if the client has gone
}

func (s *System) answerCheck(w http.ResponseWriter, r *http.Request) {
	var question struct{ Subject, Permission, Resource string }
	if err := json.NewDecoder(r.Body).Decode(&question); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	user := tree.Number(strings.TrimPrefix(question.Subject, "user:"))
	account := tree.Number(strings.TrimPrefix(question.Resource, "account:"))
	for _, p := range tree.Permissions() {
		if p.Key() == question.Permission && s.knows(user, account) {
			allowed, _ := s.Check(r.Context(), user, account, p) // makes no errors
			say(w, map[string]bool{"allowed": allowed})
			return
		}
	}
	http.Error(w, "unknown", http.StatusBadRequest)
}

func (s *System) knows(user, account int) bool {
	return user >= 0 && user < len(s.of) && account >= 0 && account < len(s.first)
}

func (s *System) answerPage(w http.ResponseWriter, r *http.Request) {
	user := tree.Number(r.PathValue("user"))
	if !s.knows(user, 0) {
		http.Error(w, "unknown", http.StatusBadRequest)
		return
	}
	rows, total := s.rows(user, r.FormValue("q"))
	say(w, struct {
		Accounts []row `json:"accounts"`
		Total    int   `json:"total"`
	}{rows, total})
}

func (s *System) answerIDs(w http.ResponseWriter, r *http.Request) {
	user := tree.Number(r.PathValue("user"))
	if !s.knows(user, 0) {
		http.Error(w, "unknown", http.StatusBadRequest)
		return
	}
	all := s.list(user)
	ids := make([]string, len(all))
	for i, a := range all {
		ids[i] = s.ids[a]
	}
	say(w, struct {
		IDs   []string `json:"ids"`
		Total int      `json:"total"`
	}{ids, len(ids)})
}

// member returns the membership that a path names.
func (s *System) member(r *http.Request) (tree.Membership, bool) {
	user, account := tree.Number(r.PathValue("user")), tree.Number(r.PathValue("account"))
	return tree.Membership{User: int32(user), Account: int32(account)}, s.knows(user, account) //nolint:gosec // some millions at most
}

func (s *System) answerPut(w http.ResponseWriter, r *http.Request) {
	m, known := s.member(r)
	var body struct {
		Roles            []string `json:"roles"`
		SubAccountAccess bool     `json:"sub_account_access"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || !known || len(body.Roles) != 1 {
		http.Error(w, "unknown", http.StatusBadRequest)
		return
	}
	m.Branch = body.SubAccountAccess
	for _, role := range tree.Roles() {
		if role.String() == body.Roles[0] {
			m.Role = role
		}
	}
	_ = s.Put(r.Context(), m) // makes no errors
	say(w, struct{}{})
}

func (s *System) answerRemove(w http.ResponseWriter, r *http.Request) {
	m, known := s.member(r)
	if !known {
		http.Error(w, "unknown", http.StatusBadRequest)
		return
	}
	_ = s.Remove(r.Context(), m) // makes no errors
	say(w, struct{}{})
}
