package access

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/relation"
)

// admitted refuses a member at hand who has a right at an account, and is elsewhere
// than its allow list says (E3): a Denied fault (ip_not_allowed). It is asked after
// the right, since others are not told whether there is a list.
func (s *Service) admitted(ctx context.Context, actor account.Actor, id account.ID) error {
	barred, err := directory.Barred(ctx, s.names, actor, []account.ID{id})
	if err == nil && barred[id] {
		err = directory.NotAllowedFrom(actor)
	}
	return err
}

// bar takes back what a member at hand is told that they may do in accounts whose allow list bars them (E3).
func (s *Service) bar(ctx context.Context, actor account.Actor, questions []Question, answers []Answer) error {
	if !actor.IsAtHand() {
		return nil
	}
	at := make(map[int]account.ID)
	var ids []account.ID
	for i, q := range questions {
		object, err := parseObject(actor.Environment, "resource", q.Resource)
		if err != nil || object.Type != relation.TypeAccount || !answers[i].Allowed {
			continue
		}
		id, _ := object.Local(actor.Environment)
		at[i] = account.ID(id)
		ids = append(ids, at[i])
	}
	barred, err := directory.Barred(ctx, s.names, actor, ids)
	if err != nil {
		return err
	}
	for i, id := range at {
		if barred[id] {
			answers[i] = Answer{Err: directory.NotAllowedFrom(actor)}
		}
	}
	return nil
}
