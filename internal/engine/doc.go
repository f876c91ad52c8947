// Package engine is the seam to SpiceDB: one gRPC client connection, to a SpiceDB inside this process or to one elsewhere, with its schema kept and its errors translated into faults.
//
// Callers speak authzed.api.v1 over [Engine.Conn] and pass every error through
// [Fault]. They need not know which of the two they have:
//
//	Embedded  client ── pipe in memory ── SpiceDB ── datastore     (an SQLite file, or memory)
//	Remote    client ── TLS or plaintext ── SpiceDB elsewhere      (bearer key)
//
// A file belongs to one process at a time. Others may attach to it for reading:
// their engine follows what that process writes, and refuses writes.
//
// # Life
//
//	Embedded / Remote ──► serving ──► Close, or the end of Run's context ──► closed
//	                         │
//	                         └─► SpiceDB stops by itself: Run closes the engine and says so
//
// Remote connects when it is first used, and again whenever the connection is
// lost, so a SpiceDB that is away delays nobody's start; Ready tells.
//
// # How late an expiry may be noticed
//
// SpiceDB keeps the outcome of a check for as long as it keeps answering from
// the same revision, and does not look at expiries again in the meantime. A File's
// datastore moves to a new revision at the expiry, before it answers anybody who
// asks later, unless a long transaction keeps it from that for a moment (U6). In
// memory, and in a SpiceDB elsewhere, an expired relationship may count until the
// next revision: for [EmbeddedConfig.Quantum], or, elsewhere, for five seconds by default.
package engine
