// Package sqlite keeps SpiceDB's data in one SQLite file: a datastore for one process on one machine, durable, fast, and as quick to open when it is large as when it is empty.
//
// # Tables
//
// A relationship is account:globex#parent@account:acme: types and relations on both sides, and two
// ids. The types and relations repeat; there are as many combinations as the schema has. Each is a
// row of kind, and relationships name it by number.
//
//	kind      id | resource_type, relation, subject_type, subject_relation
//	live      kind, resource_id, subject_id | since, expires_at, caveat, context
//	past      kind, resource_id, until, subject_id | since, expires_at, caveat, context
//	change    tx, part | updates
//	document  category, name, since | until, content
//	revision  tx | at, relationships, metadata
//	store     unique_id
//
// live holds what is there now, under two orders: by (kind, resource_id, subject_id), which is the
// table itself, and by (kind, subject_id, resource_id), an index that repeats every column. Every
// query of SpiceDB's, forward or reverse, comes down to reading ranges of these for some kinds
// (plan.go): a filter's types and relations choose kinds, and what is left are ids.
//
// past holds what was there: since and until are the transactions that made and ended it. change
// holds what each transaction did, for watches (change.go). document holds what is small: object
// definitions, caveats, the schema and counters, by revision. expires_at is in microseconds of Unix
// time, at in nanoseconds.
//
// # Revisions
//
// A revision is the number of a transaction. Numbers grow by one, and begin at 1, the empty store.
// The state at revision r is: of live, what has since <= r; of past, what has since <= r < until.
// A reader of the head need not look at past at all, and head.go remembers how far back that holds:
// until the last transaction that ended something. So reading the present costs the same however
// much history there is.
//
// The head moves when something was written; else it stays, and what SpiceDB has remembered for it
// stays good. Two other things move it. When a relationship expires, what was remembered is no
// longer true, and an empty transaction makes it forgotten (expire.go), before the head is given
// to anybody who asks afterwards. And a revision that is
// handed out must remain readable for a while: a head older than half the window for old
// revisions is renewed by the collector, or by the next transaction that writes nothing.
//
// A revision can be read while it is the head, and otherwise until the window after it was made
// has passed. The collector (collect.go) then deletes revision rows first, whose first one tells
// whoever opens the file what can still be read, and next what only they needed. A restored backup
// goes on at a number that the original cannot have reached (backup.go).
//
// # The life of a transaction
//
//  1. ReadWriteTx waits for its turn (turns.go): one transaction runs at a time, in the order of
//     asking.
//  2. The first opens a transaction of SQLite's, and so a batch; the next, if they come while it
//     is open, join it. Each runs in a savepoint (writer.go).
//  3. SpiceDB's function runs. It reads live as it is, on the writing connection.
//  4. finish writes the revision, the changes and the new kinds. Has the function failed, the
//     savepoint is rolled back instead, and the others of the batch do not notice.
//  5. It gives the turn to the next in line. If there is none, or the batch is full or old, it
//     commits: one wait for the disk for the whole batch.
//  6. After the commit the head is published: first the kinds, then the revision; and whoever
//     waits is told. So a revision that somebody knows of is on the disk, and visible to every
//     read from then on.
//
// If the commit fails, for instance because the disk is full, all of the batch get the error and
// none of it is kept.
//
// # Reading
//
// Queries run on a pool of connections, on prepared statements (pool.go, statement.go). Most results
// are short and are read at once; for longer ones the connection is parked, so that callers who ask
// further questions while they go through a result cannot starve each other (reader.go).
//
// # Processes
//
// One process has the file open for writing, and holds a lock on a file beside it. Others may attach
// for reading only. If a program that knows nothing of the lock writes into the file, the datastore
// notices at its next write and refuses to go on (ErrForeign). After an unclean stop SQLite recovers
// from its log, and the file is checked for damage (check.go).
package sqlite
