package schemacheck

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/schema"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/report"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// A mutant is Tenantry's schema with one fault. The validation file named must notice it.
type mutant struct{ old, new, file string }

// Faults of the hand-written core.
func coreMutants() []mutant {
	return []mutant{
		// who holds a role, and where
		{"holder = member + branch_member", "holder = member", "sub_account_access.yaml"},
		{"holder = member + branch_member", "holder = branch_member", "sub_account_access.yaml"},
		{"branch_access = assignment->branch_member + parent->branch_access", "branch_access = assignment->holder + parent->branch_access", "sub_account_access.yaml"},
		{"branch_access = assignment->branch_member + parent->branch_access", "branch_access = assignment->branch_member", "deep_tree.yaml"},
		{"branch_access = assignment->branch_member + parent->branch_access", "branch_access = assignment->branch_member + parent->member_access", "deep_tree.yaml"},
		{"member_access = assignment->holder + parent->branch_access", "member_access = assignment->holder + parent->member_access", "sub_account_access.yaml"},
		{"member_access = assignment->holder + parent->branch_access", "member_access = assignment->holder", "always_on.yaml"},
		{"member_access = assignment->holder + parent->branch_access", "member_access = assignment->branch_member + parent->branch_access", "expiry.yaml"},
		// blocked users
		{"access = (member_access - environment->blocked) + environment->view_backoffice", "access = member_access + environment->view_backoffice", "blocked.yaml"},
		{"access = (member_access - environment->blocked) + environment->view_backoffice", "access = (member_access + environment->view_backoffice) - environment->blocked - parent->access", "blocked.yaml"},
		// operators
		{"access = (member_access - environment->blocked) + environment->view_backoffice", "access = (member_access - environment->blocked)", "portal_roles.yaml"},
		{"manage_security = admin", "manage_security = admin + entitlements_editor", "portal_roles.yaml"},
		{"edit_backoffice = admin + backoffice_editor", "edit_backoffice = admin + backoffice_editor + backoffice_viewer", "portal_roles.yaml"},
		{"edit_entitlements = admin + entitlements_editor", "edit_entitlements = admin + entitlements_editor + backoffice_editor", "portal_roles.yaml"},
		{"view_backoffice = admin + backoffice_editor + backoffice_viewer + entitlements_editor + entitlements_viewer", "view_backoffice = admin + backoffice_editor + backoffice_viewer", "portal_roles.yaml"},
		{"view_entitlements = admin + entitlements_editor + entitlements_viewer", "view_entitlements = view_backoffice", "portal_roles.yaml"},
		{"impersonate = impersonator & (admin + backoffice_editor + backoffice_viewer)", "impersonate = impersonator", "portal_roles.yaml"},
		{"impersonate = impersonator & (admin + backoffice_editor + backoffice_viewer)", "impersonate = impersonator + (admin + backoffice_editor + backoffice_viewer)", "portal_roles.yaml"},
		{"impersonate = impersonator & (admin + backoffice_editor + backoffice_viewer)", "impersonate = impersonator & view_backoffice", "portal_roles.yaml"},
		{"act_for_users = delegate", "act_for_users = delegate + admin", "portal_roles.yaml"},
		// sub-accounts
		{"write_sub_accounts & sub_account_management & environment->sub_accounts_enabled", "write_sub_accounts & sub_account_management", "sub_account_management.yaml"},
		{"write_sub_accounts & sub_account_management & environment->sub_accounts_enabled", "write_sub_accounts & environment->sub_accounts_enabled", "sub_account_management.yaml"},
		{"write_sub_accounts & sub_account_management & environment->sub_accounts_enabled", "sub_account_management & environment->sub_accounts_enabled", "sub_account_management.yaml"},
		{"write_sub_accounts & sub_account_management & environment->sub_accounts_enabled", "write_sub_accounts & sub_account_management + environment->sub_accounts_enabled", "sub_account_management.yaml"},
		{"write_sub_accounts & sub_account_management & environment->sub_accounts_enabled", "member_write_sub_accounts & sub_account_management & environment->sub_accounts_enabled", "blocked.yaml"},
		{"delegate_sub_account_management = write_sub_account_management & sub_account_management", "delegate_sub_account_management = write_sub_account_management", "sub_account_management.yaml"},
		{"delegate_sub_account_management = write_sub_account_management & sub_account_management", "delegate_sub_account_management = sub_account_management", "sub_account_management.yaml"},
		{"set_sub_account_management = parent->delegate_sub_account_management + environment->edit_backoffice", "set_sub_account_management = delegate_sub_account_management + environment->edit_backoffice", "sub_account_management.yaml"},
		{"set_sub_account_management = parent->delegate_sub_account_management + environment->edit_backoffice", "set_sub_account_management = parent->delegate_sub_account_management", "sub_account_management.yaml"},
		{"update_account = parent->write_sub_accounts", "update_account = write_sub_accounts", "sub_account_management.yaml"},
		{"move_account = parent->delete_sub_accounts", "move_account = parent->write_sub_accounts", "sub_account_management.yaml"},
		{"delete_account = parent->delete_sub_accounts", "delete_account = delete_sub_accounts", "deletion.yaml"},
		{"delete_account = parent->delete_sub_accounts", "delete_account = parent->write_sub_accounts", "deletion.yaml"},
		{"delete_account = parent->delete_sub_accounts + environment->edit_backoffice", "delete_account = parent->delete_sub_accounts", "deletion.yaml"},
	}
}

// Faults of what decides whether an account has a feature.
func featureMutants() []mutant {
	const (
		plan = "plan_feature = plan->feature + (parent->plan_feature - own_plan)"
		on   = "branch_on = branch_feature_on + (parent->branch_on - branch_feature_off)"
		off  = "branch_off = branch_feature_off + parent->branch_off"
		has  = "has_feature = feature_on + ((branch_on + (plan_feature - branch_off)) - feature_off)"
	)
	var all []mutant
	for old, faults := range map[string][]string{
		plan: {
			"plan_feature = plan->feature",
			"plan_feature = parent->plan_feature - own_plan",
			"plan_feature = plan->feature + parent->plan_feature",
			"plan_feature = (plan->feature + parent->plan_feature) - own_plan",
			"plan_feature = plan->feature + (parent->has_feature - own_plan)",
		},
		on: {
			"branch_on = branch_feature_on",
			"branch_on = parent->branch_on - branch_feature_off",
			"branch_on = branch_feature_on + parent->branch_on",
			"branch_on = branch_feature_on + (parent->branch_on - feature_off)",
			"branch_on = branch_feature_on + feature_on + (parent->branch_on - branch_feature_off)",
		},
		off: {
			"branch_off = branch_feature_off",
			"branch_off = parent->branch_off",
			"branch_off = branch_feature_off + (parent->branch_off - feature_on)",
			"branch_off = branch_feature_off + (parent->branch_off - own_plan)",
			"branch_off = branch_feature_off + feature_off + parent->branch_off",
		},
		has: {
			"has_feature = (branch_on + (plan_feature - branch_off)) - feature_off",
			"has_feature = feature_on + (branch_on + (plan_feature - branch_off))",
			"has_feature = feature_on + branch_on + ((plan_feature - branch_off) - feature_off)",
			"has_feature = feature_on + ((branch_on + plan_feature) - feature_off)",
			"has_feature = feature_on + ((plan_feature - branch_off) - feature_off)",
			"has_feature = feature_on + (branch_on - feature_off)",
			"has_feature = ((feature_on + branch_on + plan_feature) - branch_off) - feature_off",
		},
	} {
		for _, fault := range faults {
			all = append(all, mutant{old + "\n", fault + "\n", "features.yaml"})
		}
	}
	return all
}

// Faults of one permission's part. P stands for its relation and N for the next permission's.
func permissionMutants() []mutant {
	return []mutant{
		{"permission P = holder & role->P\n", "permission P = holder\n", "roles.yaml"},
		{"permission P = holder & role->P\n", "permission P = holder & role->N\n", "roles.yaml"},
		{"permission P = holder & role->P\n", "permission P = holder + role->P\n", "roles.yaml"},
		{"permission branch_P = branch_member & role->P\n", "permission branch_P = holder & role->P\n", "sub_account_access.yaml"},
		{"permission branch_P = branch_member & role->P\n", "permission branch_P = branch_member & role->N\n", "inherited_roles.yaml"},
		{"permission branch_P = assignment->branch_P + parent->branch_P\n", "permission branch_P = assignment->branch_P\n", "sub_account_access.yaml"},
		{"permission branch_P = assignment->branch_P + parent->branch_P\n", "permission branch_P = assignment->P + parent->branch_P\n", "sub_account_access.yaml"},
		{"permission member_P = assignment->P + parent->branch_P\n", "permission member_P = assignment->P\n", "sub_account_access.yaml"},
		{"permission member_P = assignment->P + parent->branch_P\n", "permission member_P = assignment->P + parent->member_P\n", "sub_account_access.yaml"},
		{"permission member_P = assignment->P + parent->branch_P\n", "permission member_P = parent->branch_P\n", "roles.yaml"},
		{"permission P = (member_P - environment->blocked)", "permission P = member_P", "blocked.yaml"},
	}
}

// Faults of the operators' share in one permission, whose right is given (E4).
func operatorMutants(right string) []mutant {
	const share = "permission P = (member_P - environment->blocked)"
	old := share + " + environment->" + right + "\n"
	all := []mutant{{old, share + "\n", "portal_roles.yaml"}}
	for _, other := range []string{"view_backoffice", "edit_backoffice", "view_entitlements", "edit_entitlements", "manage_security"} {
		if other != right {
			all = append(all, mutant{old, share + " + environment->" + other + "\n", "portal_roles.yaml"})
		}
	}
	return all
}

func TestMutantsOfTheCoreAreNoticed(t *testing.T) {
	t.Parallel()
	c := newCases(t)
	for _, m := range slices.Concat(coreMutants(), featureMutants()) {
		c.notice(t, m, func(assertion) bool { return true })
	}
}

func TestU3_MutantsOfEachPermissionAreNoticed(t *testing.T) {
	t.Parallel()
	catalogue, err := schema.Default()
	if err != nil {
		t.Fatal(err)
	}
	c := newCases(t)
	for i, p := range catalogue.Permissions {
		next := catalogue.Permissions[(i+1)%len(catalogue.Permissions)].Relation
		fill := strings.NewReplacer("P", p.Relation, "N", next)
		for _, m := range append(permissionMutants(), operatorMutants(p.Operator)...) {
			m.old, m.new = fill.Replace(m.old), fill.Replace(m.new)
			c.notice(t, m, func(a assertion) bool { return a.Relationship.Resource.Relation == p.Relation })
		}
	}
}

// cases are Tenantry's validation files.
type cases map[string]*document

func newCases(t *testing.T) cases {
	t.Helper()
	c := cases{}
	paths, err := filepath.Glob("../../schema/validation/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		doc, ok := parse(finding.NewSource(path, string(text)))
		if !ok || len(doc.findings) > 0 {
			t.Fatal(doc.findings)
		}
		c[filepath.Base(path)] = doc
	}
	return c
}

// notice runs a mutant against the assertions of its file that choose selects; one must fail.
func (c cases) notice(t *testing.T, m mutant, choose func(assertion) bool) {
	t.Helper()
	if strings.Count(schema.Built(), m.old) != 1 {
		t.Errorf("the schema has %d times, not once: %s", strings.Count(schema.Built(), m.old), m.old)
		return
	}
	doc := *c[m.file]
	doc.assertions = slices.DeleteFunc(slices.Clone(doc.assertions), func(a assertion) bool { return !choose(a) })
	text := strings.Replace(schema.Built(), m.old, m.new, 1)
	mutated, findings := zed.Compile(t.Context(), zed.File(finding.NewSource("mutant.zed", text)))
	if mutated == nil {
		t.Errorf("the mutant is no schema: %s\n%v", m.new, findings)
		return
	}
	world, findings := load(t.Context(), mutated, &doc)
	if len(findings) > 0 {
		t.Errorf("the mutant is no schema: %s\n%v", m.new, findings)
		return
	}
	defer world.Dispose()
	for some := range slices.Chunk(doc.assertions, 32) {
		doc.assertions = some
		failed := func(c report.Case) bool { return len(c.Findings) > 0 }
		if slices.ContainsFunc(runAssertions(world, mutated, &doc), failed) {
			return
		}
	}
	t.Errorf("%s does not notice that\n\t%s became\n\t%s", m.file, m.old, m.new)
}
