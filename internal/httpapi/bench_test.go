package httpapi

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/tenantry/tenantry/internal/access"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/identity"
	"github.com/tenantry/tenantry/internal/store"
	"github.com/tenantry/tenantry/internal/transport"
	"github.com/tenantry/tenantry/schema"
)

// yes is an engine that allows everything at once, so that what is measured is all but the engine.
type yes struct{ grpc.ClientConnInterface }

func (yes) Invoke(_ context.Context, _ string, args, reply any, _ ...grpc.CallOption) error {
	request, _ := args.(*v1.CheckBulkPermissionsRequest)
	answer, _ := reply.(*v1.CheckBulkPermissionsResponse)
	if request == nil || answer == nil {
		return fmt.Errorf("the engine was asked %T", args)
	}
	allowed := &v1.CheckBulkPermissionsPair{Response: &v1.CheckBulkPermissionsPair_Item{
		Item: &v1.CheckBulkPermissionsResponseItem{Permissionship: v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION},
	}}
	answer.Pairs = slices.Repeat([]*v1.CheckBulkPermissionsPair{allowed}, len(request.GetItems()))
	return nil
}

func (yes) Reached(account.EnvironmentID) account.Version { return 1 }

func (yes) Fresh(context.Context, account.EnvironmentID, account.Version) (string, account.Version, error) {
	return "token", 1, nil
}

// BenchmarkCheckPath asks POST /v1/check over a real port through all that stands before the engine, with the
// secret of a client and with its access token, and a bare server of net/http beside it, in turns; ratios are of
// the medians. It is one client, or eight.
func BenchmarkCheckPath(b *testing.B) {
	db, err := store.Open(b.Context(), b.TempDir()+"/directory.db", store.Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	secret := seed(b, db)
	address := listenAndServe(b, checkAPI(b, db))
	bare := posted{url: listenAndServe(b, arrays()) + "/v1/check", body: checkBody}
	withSecret := posted{address + "/v1/check", identity.FormatToken("prod", "shop", secret), checkBody}
	withToken := posted{address + "/v1/check", accessToken(b, db), checkBody}
	for _, clients := range []int{1, 8} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			took := alternate(b, clients, bare, withSecret, withToken)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(micros(took[0]), "µs/bare")
			b.ReportMetric(micros(took[1]), "µs/secret")
			b.ReportMetric(micros(took[2]), "µs/token")
			b.ReportMetric(micros(took[1])/micros(took[0]), "secret/bare")
			b.ReportMetric(micros(took[2])/micros(took[0]), "token/bare")
		})
	}
}

const checkBody = `{"subject":"user:ada","permission":"fe.account-hierarchy.read.subAccount","resource":"account:globex"}`

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// seed makes the environment prod with the client shop, and returns its secret.
func seed(b *testing.B, db *store.DB) directory.Secret {
	b.Helper()
	d := newDirectory(b, db, granting{})
	system := directory.Request{Actor: account.Actor{System: true}}
	if _, err := d.CreateEnvironment(b.Context(), system, account.Environment{ID: "prod", SubAccountsEnabled: true}); err != nil {
		b.Fatal(err)
	}
	system.Actor.Environment = "prod"
	_, secret, err := d.CreateClient(b.Context(), system, account.Client{ID: "shop", Roles: []account.PortalRole{account.PortalAdmin}})
	if err != nil {
		b.Fatal(err)
	}
	return secret
}

const benchIssuer = "https://tenantry.example"

// accessToken is what the client shop gets for its secret.
func accessToken(b *testing.B, db *store.DB) string {
	b.Helper()
	var token string
	err := db.Read(b.Context(), "prod", func(r directory.Reader) error {
		client, err := r.Client(b.Context(), "shop")
		if err != nil {
			return err
		}
		secrets, err := r.ClientSecrets(b.Context(), "shop")
		if err != nil {
			return err
		}
		signer := identity.NewSigner(identity.NewKeyring(db, identity.KeyConfig{}), benchIssuer, time.Now)
		token, _, err = signer.ClientToken(b.Context(), "prod", client.Value.ID, secrets[0].Value.ID, client.Value.Scopes)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return token
}

// checkAPI is the API as a server has it, with limits that are counted and not reached.
func checkAPI(b *testing.B, db *store.DB) http.Handler {
	b.Helper()
	catalogue, err := schema.Default()
	if err != nil {
		b.Fatal(err)
	}
	uses := identity.NewUses(db, nil)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { uses.Run(ctx) })
	b.Cleanup(func() { cancel(); running.Wait() })
	questions := access.New(yes{}, yes{}, db, catalogue, access.Config{})
	const many = 1 << 30
	return New(Deps{
		Directory: newDirectory(b, db, granting{}), Access: questions, Marks: db, Registry: prometheus.NewRegistry(),
		Authenticator: identity.New(identity.Sources{
			Credentials: db, APITokens: db, Acting: questions, Uses: uses, Marks: db,
			Keys: identity.NewKeyring(db, identity.KeyConfig{}), Issuer: benchIssuer,
		}),
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}, Config{Limits: Limits{Credential: many, Address: many, Failures: 60}})
}

// arrays is what a check costs at the least: net/http, and a look at an array.
func arrays() http.Handler {
	parents := make([]int32, 1<<17)
	var n atomic.Uint32
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		i, found := n.Add(1)%(1<<17), false
		for range 6 {
			found = parents[i] == 0
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"allowed":%t}`, found)
	})
}

// listenAndServe serves a handler as the program does, and returns its address.
func listenAndServe(b *testing.B, handler http.Handler) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 2 * time.Minute}
	if _, isBare := handler.(http.HandlerFunc); !isBare {
		s.Handler, s.ConnContext = transport.Handler(handler), transport.ConnContext
		l = transport.Bound(l, transport.Bounds{}, nil)
	}
	go func() { _ = s.Serve(l) }()
	b.Cleanup(func() { _ = s.Close() })
	return "http://" + l.Addr().String()
}

// posted is a request that is sent over and over.
type posted struct{ url, token, body string }

// ask sends it, and returns how long the answer took.
func (q posted) ask(client *http.Client) (time.Duration, error) {
	begun := time.Now()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, q.url, strings.NewReader(q.body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	if q.token != "" {
		r.Header.Set("Authorization", "Bearer "+q.token)
	}
	resp, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if !bytes.Contains(text, []byte(`"allowed":true`)) {
		err = cmp.Or(err, fmt.Errorf("%s: %s", resp.Status, text))
	}
	return time.Since(begun), err
}

// alternate asks questions in turn, in rounds of a hundred from each client, and returns the median time of each.
func alternate(b *testing.B, clients int, questions ...posted) []time.Duration {
	b.Helper()
	var mu sync.Mutex
	took := make([][]time.Duration, len(questions))
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	round := func(i int) {
		var asking sync.WaitGroup
		for range clients {
			asking.Go(func() {
				for range 100 {
					d, err := questions[i].ask(client)
					mu.Lock()
					if took[i] = append(took[i], d); err != nil {
						b.Error(err)
					}
					mu.Unlock()
				}
			})
		}
		asking.Wait()
	}
	for i := range questions {
		round(i) // warms up
	}
	took = make([][]time.Duration, len(questions))
	for n := 0; b.Loop(); n++ {
		round(n % len(questions))
	}
	medians := make([]time.Duration, len(questions))
	for i := range questions {
		if len(took[i]) == 0 {
			round(i)
		}
		slices.Sort(took[i])
		medians[i] = took[i][len(took[i])/2]
	}
	return medians
}

// BenchmarkCheckHandler is the same without the network, so that what is spent in the house can be counted.
func BenchmarkCheckHandler(b *testing.B) {
	db, err := store.Open(b.Context(), b.TempDir()+"/directory.db", store.Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	authorization := "Bearer " + identity.FormatToken("prod", "shop", seed(b, db))
	handler := checkAPI(b, db)
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/v1/check", strings.NewReader(checkBody))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Body.String())
		}
	}
}
