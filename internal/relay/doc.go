// Package relay brings the journal into force: it applies each environment's entries to the engine, in order and exactly once, and repairs what drifted.
//
// # Where an environment stands
//
// The engine itself says how far an environment's journal has been applied, in
// one relationship, its mark: environment:prod#applied@version:prod/17-ent_k3v9,
// the version and the id of the entry. Every write of the relay demands with a
// precondition that the mark is still the one it started from, and replaces it.
// So an entry is applied once and after its predecessor, whatever happens: a
// crash between any two steps, a delayed call that arrives late, several
// replicas relaying the same journal, an engine restored from a backup. The
// entry's id tells a journal from another that has come to the same version.
//
// An entry too large for one call is written in several. All but the last leave
// a busy mark, new with every call, so that neither another relay nor a
// reconciliation takes the content in between for that of an entry. A
// reconciliation claims the engine in the same way before it repairs. A busy
// mark whose writer is gone is taken over, and the engine made to hold what the
// directory implies.
//
// The version, with the ZedToken of the write that reached it, is also kept in
// the database.
//
// # The life of a worker
//
// There is one worker for each environment:
//
//	locating ──► applying ──► idle (until a poke, the next poll, or LookAgain)
//	    ▲           │  ▲        │
//	    │           │  └────────┤
//	    │           ├──► the mark is not where expected: locate again ◄┘
//	    │           ├──► engine away: try again, later each time
//	    │           ├──► engine full: the same, loudly, and not ready meanwhile
//	    └───────────┴──► cannot be applied: stopped, loudly; tried again every half minute
//
// Locating reads the mark. If there is none, or an abandoned one, the engine is
// filled from the directory's state. While the worker locates, readers go on
// with the position known before, unless the engine turns out not to have it.
//
// # Engines of one process
//
// The embedded engine is written to by one process at a time. That process's
// relay is alone: a busy mark that it finds was left by one that is gone, and is
// taken over at once. A process beside it looks only: its workers follow the
// mark, and what they find serves questions as positions do.
package relay
