package access

import (
	"context"
	"errors"
	"testing"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/schema"
)

// counting is an engine that says yes to everything but what it is told to deny, and keeps the calls.
type counting struct {
	grpc.ClientConnInterface
	calls [][]string // the items of each
	deny  map[string]bool
}

func (c *counting) Invoke(_ context.Context, _ string, args, reply any, _ ...grpc.CallOption) error {
	var asked []string
	out := reply.(*v1.CheckBulkPermissionsResponse)
	for _, item := range args.(*v1.CheckBulkPermissionsRequest).GetItems() {
		text := item.GetResource().GetObjectId() + "#" + item.GetPermission() + "@" + item.GetSubject().GetObject().GetObjectId()
		asked = append(asked, text)
		answer := v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION
		if c.deny[text] {
			answer = v1.CheckPermissionResponse_PERMISSIONSHIP_NO_PERMISSION
		}
		out.Pairs = append(out.Pairs, &v1.CheckBulkPermissionsPair{Response: &v1.CheckBulkPermissionsPair_Item{
			Item: &v1.CheckBulkPermissionsResponseItem{Permissionship: answer},
		}})
	}
	c.calls = append(c.calls, asked)
	return nil
}

// reached is an environment that is in force up to a version, and gets to any that is waited for.
type reached struct {
	version account.Version
	waits   []account.Version
}

func (r *reached) Reached(account.EnvironmentID) account.Version { return r.version }

func (r *reached) Fresh(_ context.Context, _ account.EnvironmentID, version account.Version) (string, account.Version, error) {
	r.waits = append(r.waits, version)
	r.version = max(r.version, version)
	return "zed", r.version, nil
}

// known is a directory of features, which change each time they are read as often as changes says.
type known struct {
	directory.Reader
	features []account.Versioned[account.Feature]
	lists    map[account.ID]account.Networks // that hold at accounts
	changes  int
	reads    int
}

func (k *known) Read(_ context.Context, _ account.EnvironmentID, fn func(directory.Reader) error) error {
	k.reads++
	if k.changes > 0 {
		k.changes--
		k.features[0].Version += 10
	}
	return fn(k)
}

func (k *known) AllowLists(context.Context, account.EnvironmentID, ...account.ID) (directory.AllowLists, error) {
	return directory.AllowLists{Accounts: k.lists}, nil
}

func (k *known) FeaturesByKey(context.Context, []account.FeatureKey) ([]account.Versioned[account.Feature], error) {
	return k.features, nil
}

func withFeatures(t *testing.T, changes int) (*Service, *counting, *reached, *known) {
	t.Helper()
	catalogue, err := schema.Default()
	if err != nil {
		t.Fatal(err)
	}
	c, r := &counting{}, &reached{version: 5}
	k := &known{changes: changes, features: []account.Versioned[account.Feature]{
		{Value: account.Feature{Key: "reports", Permission: "fe.secure.read.users"}, Version: 3},
		{Value: account.Feature{Key: "chat"}, Version: 2},
		{Value: account.Feature{Key: "lost", Permission: "no.longer"}, Version: 2},
	}}
	return New(c, r, k, catalogue, Config{}), c, r, k
}

var asked = []Question{
	{"user:ada", "feature:reports", "account:globex"},
	{"user:ada", "feature:chat", "account:east"},
	{"user:ada", "feature:reports", "account:east"},
	{"user:ada", "access", "account:globex"},
	{"user:ada", "feature:none", "account:globex"},
	{"user:ada", "feature:", "account:globex"},
	{"user:ada", "feature:reports", "document:plan"},
	{"user:ada", "feature:lost", "account:globex"},
	{"user:ada", "feature:chat", "account:globex"},
}

// TestFeatures_ABulkIsOneCall asks about features and permissions together.
func TestFeatures_ABulkIsOneCall(t *testing.T) {
	s, engine, fresh, _ := withFeatures(t, 0)
	engine.deny = map[string]bool{"prod/east#has_feature@prod/chat": true, "prod/east#read_users@prod/ada": true}
	said, err := s.Check(t.Context(), account.Actor{Environment: "prod", User: "ada"}, asked, 0)
	if err != nil || said.Version != 5 {
		t.Fatalf("%v, as of %d", err, said.Version)
	}
	var got []string
	for _, a := range said.Items {
		switch {
		case a.Err != nil:
			got = append(got, a.Err.Code)
		case a.Allowed:
			got = append(got, "yes")
		default:
			got = append(got, "no")
		}
	}
	want := []string{"yes", "no", "no", "yes", "unknown_feature", "unknown_feature", "feature_needs_account", "permission_gone", "yes"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	calls := [][]string{{
		"prod/globex#read_users@prod/ada", "prod/globex#has_feature@prod/reports",
		"prod/east#access@prod/ada", "prod/east#has_feature@prod/chat",
		"prod/east#read_users@prod/ada", "prod/east#has_feature@prod/reports",
		"prod/globex#access@prod/ada",
		"prod/globex#access@prod/ada", "prod/globex#has_feature@prod/chat",
	}}
	if diff := cmp.Diff(calls, engine.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if len(fresh.waits) != 1 {
		t.Errorf("waited for %v", fresh.waits)
	}
}

// TestFeatures_AnswersSeeTheFeaturesLastChange: a feature that is newer than what is in force is waited for, and read again then.
func TestFeatures_AnswersSeeTheFeaturesLastChange(t *testing.T) {
	actor := account.Actor{Environment: "prod", System: true}
	for changes, want := range map[int][]account.Version{0: {0}, 1: {0, 13}, 2: {0, 13, 23}} {
		s, _, fresh, directory := withFeatures(t, changes)
		said, err := s.Check(t.Context(), actor, asked[:1], 0)
		if err != nil || said.Version < directory.features[0].Version {
			t.Errorf("%d changes: %v, as of %d", changes, err, said.Version)
		}
		if diff := cmp.Diff(want, fresh.waits); diff != "" {
			t.Errorf("%d changes: waits (-want +got):\n%s", changes, diff)
		}
	}
	s, engine, _, directory := withFeatures(t, 1000)
	_, err := s.Check(t.Context(), actor, asked[:1], 0)
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != "busy" || directory.reads != tries || len(engine.calls) != 0 {
		t.Errorf("features that never rest: %v after %d reads", err, directory.reads)
	}
}

// TestFeatures_QuestionsWithoutFeaturesReadNone: a plain check costs what it did.
func TestFeatures_QuestionsWithoutFeaturesReadNone(t *testing.T) {
	s, _, _, directory := withFeatures(t, 0)
	if _, err := s.Check(t.Context(), account.Actor{Environment: "prod", System: true}, asked[3:4], 0); err != nil || directory.reads != 0 {
		t.Errorf("%v, %d reads", err, directory.reads)
	}
}

func TestFeatures_BothHalvesDecide(t *testing.T) {
	yes, no, perhaps := Answer{Allowed: true}, Answer{}, Answer{Conditional: true}
	bad := Answer{Err: fault.New(fault.Invalid, "x", "x")}
	for _, c := range []struct{ a, b, want Answer }{
		{yes, yes, yes},
		{yes, no, no},
		{no, yes, no},
		{yes, perhaps, perhaps},
		{perhaps, yes, perhaps},
		{perhaps, perhaps, perhaps},
		{perhaps, no, no},
		{no, perhaps, no},
		{yes, bad, Answer{Err: bad.Err}},
		{bad, no, Answer{Err: bad.Err}},
	} {
		got := both(c.a, c.b)
		if got.Err != c.want.Err || got.Conditional != c.want.Conditional || got.Err == nil && got.Allowed != c.want.Allowed {
			t.Errorf("%+v and %+v: %+v, want %+v", c.a, c.b, got, c.want)
		}
	}
}

// TestFeatures_TheNearestSwitchCounts finds which switch of those on the way to the root is the origin.
func TestFeatures_TheNearestSwitchCounts(t *testing.T) {
	line := []account.ID{"leaf", "middle", "root"}
	sw := func(id account.ID, branch, on bool) account.FeatureSwitch {
		return account.FeatureSwitch{Account: id, Feature: "f", Branch: branch, On: on}
	}
	own, branch := sw("leaf", false, true), sw("leaf", true, false)
	middle, root := sw("middle", true, true), sw("root", true, false)
	aside := sw("middle", false, true) // for middle alone
	for _, c := range []struct{ switches, want []account.FeatureSwitch }{
		{[]account.FeatureSwitch{root, middle, aside, branch, own}, []account.FeatureSwitch{own}},
		{[]account.FeatureSwitch{branch, root, aside, middle}, []account.FeatureSwitch{branch}},
		{[]account.FeatureSwitch{root, aside, middle}, []account.FeatureSwitch{middle}},
		{[]account.FeatureSwitch{root, aside}, []account.FeatureSwitch{root}},
		{[]account.FeatureSwitch{aside}, nil},
	} {
		var in []account.Versioned[account.FeatureSwitch]
		for _, s := range c.switches {
			in = append(in, account.Versioned[account.FeatureSwitch]{Value: s})
		}
		var got []account.FeatureSwitch
		for _, s := range nearestSwitches(line, in) {
			got = append(got, s)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("of %v (-want +got):\n%s", c.switches, diff)
		}
	}
}
