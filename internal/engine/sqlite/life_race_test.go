//go:build race

package sqlite_test

// racing says that the race detector watches, which makes SQLite, being Go here, some thirty
// times as slow. What it looks for shows in small numbers as well.
const racing = true
