package switcher

import (
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/switcher/paged"
)

func (w *writer) setUser(v account.User, created bool) error {
	user := Subject{User, string(v.ID)}
	at, known := w.subjects.find(user)
	switch {
	case known == created:
		return outOfStep("user %s is created twice, or changed and not there", v.ID)
	case created:
		at = w.addSubject(user)
	case w.subjects.info.At(at).blocked == v.Blocked:
		return nil
	}
	w.subjects.info.Ref(w.edit, at).blocked = v.Blocked
	return nil
}

func (w *writer) addSubject(v Subject) slot {
	s, e := &w.subjects, w.edit
	texts := [paged.Fields]string{textID: v.ID}
	info := holder{kind: v.Kind, first: none}
	var at slot
	if last := len(w.free.subjects) - 1; last >= 0 {
		at, w.free.subjects = w.free.subjects[last], w.free.subjects[:last]
		s.ids.Set(e, at, texts)
		s.info.Set(e, at, info)
	} else {
		at = s.ids.Add(e, texts)
		s.info.Add(e, info)
	}
	s.byID.Add(e, at, s.hashOf(at))
	return at
}

func (w *writer) removeSubject(v Subject) error {
	s, e := &w.subjects, w.edit
	at, ok := s.find(v)
	if !ok || s.info.At(at).count > 0 {
		return outOfStep("%s is deleted and not there, or still a member", v.ID)
	}
	s.byID.Remove(e, at, s.hashOf(at))
	s.ids.Set(e, at, [paged.Fields]string{})
	s.info.Set(e, at, holder{first: none})
	w.free.subjects = append(w.free.subjects, at)
	return nil
}

// setMembership adds or changes the membership of a subject in an account.
func (w *writer) setMembership(id account.ID, subject Subject, roles []account.RoleKey, has account.BranchAccess, expires *time.Time) error {
	at, err := w.accountOf(id, subject.ID)
	if err != nil {
		return err
	}
	who, err := w.subjectOf(subject, id)
	if err != nil {
		return err
	}
	return w.setMembershipAt(at, who, roles, has, expires)
}

// accountOf finds the account of a membership.
func (w *writer) accountOf(id account.ID, member string) (slot, error) {
	at, ok := w.accounts.find(id)
	if !ok {
		return none, outOfStep("%s is a member of %s, which is not there", member, id)
	}
	return at, nil
}

// subjectOf finds the subject of a membership.
func (w *writer) subjectOf(v Subject, of account.ID) (slot, error) {
	who, ok := w.subjects.find(v)
	if !ok {
		return none, outOfStep("%s, which is not there, is a member of %s", v.ID, of)
	}
	return who, nil
}

func (w *writer) setMembershipAt(at, who slot, roles []account.RoleKey, has account.BranchAccess, expires *time.Time) error {
	carried, err := w.roles.carried(w.edit, w.sets, roles)
	if err != nil {
		return err
	}
	m, there := w.memberships.find(at, who)
	if !there {
		m = w.addMembership(at, who)
	}
	v := w.memberships.all.Ref(w.edit, m)
	v.roles, v.branch, v.expires = carried, branchOf(has), micros(expires)
	return nil
}

// addMembership puts a membership at the head of its two lists.
func (w *writer) addMembership(at, who slot) slot {
	e, all := w.edit, &w.memberships.all
	nodes, info := w.accounts.nodes.Ref(e, at), w.subjects.info.Ref(e, who)
	v := membership{
		account: at, subject: who,
		nextOfSubject: info.first, prevOfSubject: none, nextOfAccount: nodes.first, prevOfAccount: none,
	}
	var m slot
	if last := len(w.free.memberships) - 1; last >= 0 {
		m, w.free.memberships = w.free.memberships[last], w.free.memberships[:last]
		all.Set(e, m, v)
	} else {
		m = all.Add(e, v)
	}
	if info.first != none {
		all.Ref(e, info.first).prevOfSubject = m
	}
	if nodes.first != none {
		all.Ref(e, nodes.first).prevOfAccount = m
	}
	nodes.first, info.first = m, m
	info.count++
	w.memberships.byPair.Add(e, m, w.memberships.hashOf(m))
	return m
}

func (w *writer) removeMembership(id account.ID, subject Subject) error {
	at, ok := w.accounts.find(id)
	who, known := w.subjects.find(subject)
	var m slot
	if ok && known {
		m, ok = w.memberships.find(at, who)
	}
	if !ok || !known {
		return outOfStep("the membership of %s in %s ends and is not there", subject.ID, id)
	}
	e, all := w.edit, &w.memberships.all
	w.memberships.byPair.Remove(e, m, w.memberships.hashOf(m))
	v := all.At(m)
	info := w.subjects.info.Ref(e, who)
	info.count--
	if v.prevOfSubject == none {
		info.first = v.nextOfSubject
	} else {
		all.Ref(e, v.prevOfSubject).nextOfSubject = v.nextOfSubject
	}
	if v.nextOfSubject != none {
		all.Ref(e, v.nextOfSubject).prevOfSubject = v.prevOfSubject
	}
	if v.prevOfAccount == none {
		w.accounts.nodes.Ref(e, at).first = v.nextOfAccount
	} else {
		all.Ref(e, v.prevOfAccount).nextOfAccount = v.nextOfAccount
	}
	if v.nextOfAccount != none {
		all.Ref(e, v.nextOfAccount).prevOfAccount = v.prevOfAccount
	}
	all.Set(e, m, membership{account: none, subject: none})
	w.free.memberships = append(w.free.memberships, m)
	return nil
}
