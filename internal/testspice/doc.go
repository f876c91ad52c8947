// Package testspice runs a real SpiceDB server on PostgreSQL, as a process of its own, for tests of what happens between Tenantry and a SpiceDB elsewhere.
//
// [Build] compiles the server from the module that go.mod names, once for each
// version of it, and keeps the binary in the user's cache. [Start] runs it on a
// free port of the loopback interface; the test can stop it, kill it as a crash
// would, and start it again on the same address. It ends with the test, and on
// Linux also with the test's process.
package testspice
