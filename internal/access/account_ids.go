package access

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// AccountIDs is Accounts with the ids alone, up to MaxIDs of them in a page: for applications that
// select their own things by the accounts that somebody may open.
func (s *Service) AccountIDs(ctx context.Context, actor account.Actor, whose Subject, f Filter, version account.Version) (Reach, error) {
	f.bare = true
	return s.Accounts(ctx, actor, whose, f, version)
}

// MaxIDs is the most ids of one page.
const MaxIDs = 100_000

func (f *Filter) checkLimit() (int, error) {
	switch {
	case !f.bare:
		return directory.CheckLimit(f.Limit)
	case f.Limit == 0:
		return MaxIDs, nil
	case f.Limit < 0 || f.Limit > MaxIDs:
		return 0, fault.New(fault.Invalid, "invalid_limit", "limit is 1 to %d, not %d", MaxIDs, f.Limit).In("limit")
	default:
		return f.Limit, nil
	}
}
