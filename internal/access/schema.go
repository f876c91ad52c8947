package access

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/internal/schemacheck/diff"
)

// MaxOrphans is up to how many relationships Orphans counts for one removal.
const MaxOrphans = 10_000

// Schema returns the schema by which the engine decides, as text. It is the same in
// every environment. The actor needs view_backoffice; errors as those of Check.
func (s *Service) Schema(ctx context.Context, actor account.Actor) (string, error) {
	if err := s.seesBackoffice(ctx, actor, "see the schema"); err != nil {
		return "", err
	}
	return engine.Schema(ctx, s.engine)
}

// Orphans counts, for each removal from the schema, the live relationships of the actor's
// environment that it would leave without a place, up to MaxOrphans. The actor needs
// view_backoffice; errors as those of Check, and Invalid faults for what the schema does not have.
func (s *Service) Orphans(ctx context.Context, actor account.Actor, removals []diff.Removal) ([]diff.Orphans, error) {
	if err := s.seesBackoffice(ctx, actor, "count relationships"); err != nil {
		return nil, err
	}
	counts := make([]diff.Orphans, len(removals))
	for i, r := range removals {
		var err error
		if counts[i], err = engine.CountOrphans(ctx, s.engine, r, string(actor.Environment)+"/", MaxOrphans); err != nil {
			return nil, err
		}
	}
	return counts, nil
}

func (s *Service) seesBackoffice(ctx context.Context, actor account.Actor, doing string) error {
	answers, err := s.Decide(ctx, actor, 0, []directory.Question{{Permission: "view_backoffice", Resource: relation.EnvironmentObject(actor.Environment)}})
	if err != nil {
		return err
	}
	if !answers[0] {
		return fault.New(fault.Denied, "permission_denied", "%s may not %s: needs view_backoffice on the environment", actor.Name(), doing)
	}
	return nil
}
