package access

import (
	"strings"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/switcher"
)

// recallReach is the list from the index; ok is whether the index has it.
func (m *moment) recallReach(actor account.Actor, whose Subject, list *listing) (reach Reach, ok bool, err error) {
	if m.view == nil || list.feature != "" {
		return Reach{}, false, nil
	}
	who := whose.remembered()
	if !m.view.Knows(who) {
		return Reach{}, true, whose.missing()
	}
	q := switcher.Query{
		Who: who, Under: list.filter.Under, Text: list.query, Sort: list.filter.Sort, After: list.after.after, Limit: list.filter.Limit, Bare: list.filter.bare,
	}
	if list.permission != memberAccess {
		q.Permission = strings.TrimPrefix(list.permission, "member_")
	}
	if list.filter.All {
		q.Limit = 0
	}
	page, ok := m.view.Page(q)
	if !ok {
		return Reach{}, false, nil
	}
	if under := list.filter.Under; under != "" && !page.Near && (actor.IsMember() || !m.view.Has(under)) {
		return Reach{}, true, noBranch(under)
	}
	reach = Reach{Accounts: page.Accounts, IDs: page.IDs, Total: page.Total}
	if len(page.Next.Marks) > 0 {
		reach.Next = cursor{list.fingerprint(), page.Next}.String()
	}
	return reach, true, nil
}
