package directory_test

import (
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// TestC1_NoEnvironmentIsCalledLikeAPITokens: its clients' tokens would be taken for API tokens.
func TestC1_NoEnvironmentIsCalledLikeAPITokens(t *testing.T) {
	h := newHouse(t)
	for id, code := range map[account.EnvironmentID]string{"api_prod": "reserved_id", "api_": "reserved_id", "api-prod": "", "api": "", "my_api_": ""} {
		_, err := h.CreateEnvironment(h.ctx, directory.Request{Actor: account.Actor{System: true}}, account.Environment{ID: id})
		if (err != nil) != (code != "") || err != nil && fault.From(err).Code != code {
			t.Errorf("%s: %v, want %q", id, err, code)
		}
	}
}
