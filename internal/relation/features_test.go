package relation_test

import (
	"testing"

	"github.com/tenantry/tenantry/internal/account"
)

func TestFeatures_APlanHoldsFeatures(t *testing.T) {
	check(t, updates(t, account.Change{
		Before: account.Of(account.Plan{Key: "pro", Features: []account.FeatureKey{"chat", "reports"}}),
		After:  account.Of(account.Plan{Key: "pro", Name: "Pro", Features: []account.FeatureKey{"exports", "reports"}}),
	}),
		"- plan:prod/pro#feature@feature:prod/chat",
		"+ plan:prod/pro#feature@feature:prod/exports")
}

// TestFeatures_AnOwnPlanEndsThoseAbove first, and lets them through again last.
func TestFeatures_AnOwnPlanEndsThoseAbove(t *testing.T) {
	none := account.Account{ID: "globex"}
	pro := none
	pro.Plan = "pro"
	check(t, updates(t, account.Change{Before: account.Of(none), After: account.Of(pro)}),
		"+ account:prod/globex#own_plan@feature:*",
		"+ account:prod/globex#plan@plan:prod/pro")
	check(t, updates(t, account.Change{Before: account.Of(pro), After: account.Of(none)}),
		"- account:prod/globex#plan@plan:prod/pro",
		"- account:prod/globex#own_plan@feature:*")
}

func TestFeatures_ASwitchIsOneRelationship(t *testing.T) {
	for relation, s := range map[string]account.FeatureSwitch{
		"feature_on":         {On: true},
		"feature_off":        {},
		"branch_feature_on":  {Branch: true, On: true},
		"branch_feature_off": {Branch: true},
	} {
		s.Account, s.Feature = "globex", "chat"
		check(t, updates(t, account.Change{After: account.Of(s)}), "+ account:prod/globex#"+relation+"@feature:prod/chat")
	}
}

// TestFeatures_WhatTakesAwayComesFirst: an off is a touch that takes away.
func TestFeatures_WhatTakesAwayComesFirst(t *testing.T) {
	sw := func(key account.FeatureKey, on bool) *account.Entity {
		return account.Of(account.FeatureSwitch{Account: "globex", Feature: key, On: on})
	}
	check(t, updates(t,
		account.Change{Before: sw("a", false), After: sw("a", true)},
		account.Change{Before: sw("b", true), After: sw("b", false)}),
		"- account:prod/globex#feature_on@feature:prod/b",
		"+ account:prod/globex#feature_off@feature:prod/b",
		"- account:prod/globex#feature_off@feature:prod/a",
		"+ account:prod/globex#feature_on@feature:prod/a")
}
