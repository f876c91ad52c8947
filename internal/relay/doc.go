// Package relay brings the journal into force: it applies each environment's entries to the engine, in order and exactly once, and repairs what drifted.
//
// # Where an environment stands
//
// The engine itself says how far an environment's journal has been applied, in
// one relationship, environment:prod#applied@version:prod/17. Every write of
// the relay demands with a precondition that the position is still the one it
// started from, and the last write of an entry moves it. So an entry is applied
// once and after its predecessor, whatever happens: a crash between any two
// steps, a delayed call that arrives late, several replicas relaying the same
// journal, an engine restored from a backup.
//
// The position, with the ZedToken of the write that moved it, is also kept in
// the database, so that every replica knows which token to ask the engine with.
//
// # The life of a worker
//
// There is one worker for each environment:
//
//	locating ──► applying ──► waiting (for a poke, or the next poll)
//	    ▲           │  ▲          │
//	    │           │  └──────────┘
//	    │           ├──► position is not where expected: locate again
//	    │           ├──► engine away: try again, later each time
//	    └───────────┴──► entry cannot be applied: stopped, loudly; tried again every half minute
//
// Locating finds the position in the engine. If there is none, the engine is
// filled from the directory's state, which is [Relay.Reconcile] on an empty engine.
package relay
