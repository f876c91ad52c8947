package scenario

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// set sub_account_access|sub_account_management|plan of ACCOUNT to …; set sub_accounts of the environment to on|off
func (s *state) stepSet(words *sentence) (act, error) {
	setting := words.peek()
	if err := words.need("sub_account_access", "sub_account_management", "plan", "sub_accounts"); err != nil {
		return nil, err
	}
	if err := words.need("of"); err != nil {
		return nil, err
	}
	if setting == "sub_accounts" {
		if err := words.need("the environment to"); err != nil {
			return nil, err
		}
		on, err := words.onOff()
		return func(ctx context.Context, w *world, req directory.Request) error {
			return ignoring(w.directory.UpdateEnvironment(ctx, req, directory.EnvironmentPatch{SubAccountsEnabled: &on}))
		}, err
	}
	of, ok, err := s.knownName(words, anAccount)
	if err != nil {
		return nil, err
	}
	if err := words.need("to"); err != nil {
		return nil, err
	}
	id := account.ID(of.text)
	patch := directory.AccountPatch{}
	switch setting {
	case "plan":
		return s.stepPlan(words, id, ok)
	case "sub_account_management":
		on, err := words.onOff()
		if err != nil {
			return nil, err
		}
		patch.SubAccountManagement = &on
	default:
		mode := account.AccessMode(words.peek())
		if err := words.need(string(account.DefaultOff), string(account.DefaultOn), string(account.AlwaysOn)); err != nil {
			return nil, err
		}
		patch.AccessMode = &mode
	}
	if !ok {
		return nil, nil
	}
	return func(ctx context.Context, w *world, req directory.Request) error {
		return ignoring(w.directory.UpdateAccount(ctx, req, id, patch))
	}, nil
}

func (s *state) stepPlan(words *sentence, id account.ID, ok bool) (act, error) {
	plan := word{}
	if !words.take("none") {
		var known bool
		var err error
		if plan, known, err = s.knownName(words, aPlan); err != nil {
			return nil, err
		}
		ok = ok && known
	}
	if !ok {
		return nil, nil
	}
	return func(ctx context.Context, w *world, req directory.Request) error {
		return ignoring(w.directory.SetAccountPlan(ctx, req, id, account.PlanKey(plan.text)))
	}, nil
}

// switch FEATURE on|off in ACCOUNT [and its branch]
func (s *state) stepSwitch(words *sentence) (act, error) {
	feature, ok, err := s.knownName(words, aFeature)
	if err != nil {
		return nil, err
	}
	on, err := words.onOff()
	if err != nil {
		return nil, err
	}
	if err := words.need("in"); err != nil {
		return nil, err
	}
	in, there, err := s.knownName(words, anAccount)
	if err != nil {
		return nil, err
	}
	branch := words.take("and", "its", "branch")
	if !ok || !there {
		return nil, nil
	}
	return func(ctx context.Context, w *world, req directory.Request) error {
		return ignoring(w.directory.SetFeatureSwitch(ctx, req, account.FeatureSwitch{
			Account: account.ID(in.text), Feature: account.FeatureKey(feature.text), On: on, Branch: branch,
		}))
	}, nil
}

// revoke API-TOKEN
func (s *state) stepRevoke(words *sentence) (act, error) {
	token, ok, err := s.knownName(words, anAPIToken)
	if err != nil || !ok {
		return nil, err
	}
	var at account.ID
	for _, t := range s.tokens {
		if t.Name == token.text {
			at = t.Account
		}
	}
	return func(ctx context.Context, w *world, req directory.Request) error {
		return ignoring(w.directory.RevokeAPIToken(ctx, req, at, w.tokens[token.text]))
	}, nil
}

// onOff takes the word on or off.
func (s *sentence) onOff() (bool, error) {
	on := s.peek() == "on"
	return on, s.need("on", "off")
}
