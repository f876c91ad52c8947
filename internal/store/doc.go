// Package store keeps the directory and its journal in a SQL database, SQLite or PostgreSQL.
//
// # One transaction, two kinds of rows
//
// State rows hold what is: one table for each kind of entity, keyed by
// environment first. The journal holds how it came to be: one row for each
// entry, numbered without gaps. [account.Entry] values go in through Append only,
// which writes both in one transaction; so neither can be without the other.
//
// # One implementation, two databases
//
// Statements are written once, in the SQL that both databases understand. What
// differs is in a small value, the dialect: the form of parameters, how a JSON
// array becomes rows, the lock clause, the meaning of error codes. Lists of any
// length travel as one JSON parameter, so the text of a statement never depends
// on the data and both databases can keep it prepared. Text compares bytewise
// in both (COLLATE "C" on PostgreSQL), so pages come in the same order.
//
// # Locks
//
// A write holds its environment until it ends: on SQLite there is one writer
// for the whole file; on PostgreSQL the environment's row is locked. Writers of
// one process queue for their environment before they take a connection. Readers
// see a snapshot and wait for nobody.
package store
