package httpapi

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/identity"
	"github.com/tenantry/tenantry/internal/memo"
)

// caller tells who sends a request, and refuses one that comes from elsewhere than
// the allow list of the environment, or of the account that the credential belongs
// to, says (E3). Every request with a credential passes here. The Caller is there also
// if it is only the address that is wrong, and its Credential if that was good.
func (s *server) caller(ctx context.Context, p identity.Presented) (identity.Caller, error) {
	ctx = memo.At(ctx, s.marks) // once for both of what follows
	caller, err := s.auth.Authenticate(ctx, p)
	if err != nil {
		return caller, err
	}
	caller.Actor.From = addressOf(ctx)
	var own []account.ID
	if caller.Account != "" {
		own = append(own, caller.Account)
	}
	if id := caller.Actor.Account; id != "" && id != caller.Account {
		own = append(own, id)
	}
	return caller, s.admitAddress(ctx, caller.Actor, own...)
}

// admitAddress refuses a request that does not come from where the allow list of
// the actor's environment says, nor, for a user or an API token by themselves, those
// of the accounts: see [directory.Directory.Admit]. What issues tokens calls it too.
//
// Denied faults (ip_not_allowed).
func (s *server) admitAddress(ctx context.Context, actor account.Actor, accounts ...account.ID) error {
	actor.From = addressOf(ctx)
	return s.directory.Admit(ctx, actor, accounts...)
}

// addressOf is the address that a request came from, as text; "" if it is not known.
func addressOf(ctx context.Context) string {
	if addr := clientAddr(ctx); addr.IsValid() {
		return addr.String()
	}
	return ""
}

func networksOf(n account.Networks) []string { return append([]string{}, n.List()...) }
