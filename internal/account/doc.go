// Package account is the domain: the nouns of the hierarchy (environment, account, user, role, membership), the rules that need nothing but their values, and the events that change them. It does no I/O.
//
// # Entities, changes, entries
//
// What Tenantry manages is a set of entities: [Environment], [Client], [Account],
// [User], [Role], [Membership] and [Assignment]; [Feature], [Plan] and
// [FeatureSwitch]; [Invitation], [APIToken] and [Impersonation]. A [Change] is one entity before
// and after. An [Entry] of the journal is what one request did: who, when, what
// kind of act, and its changes. Everything downstream is a view of the entries:
// the state rows, the relationships in the engine, the switcher, the log.
package account
