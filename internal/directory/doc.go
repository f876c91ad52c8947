// Package directory holds the write use cases: each authorises through the engine, then makes one transaction with state rows and one journal entry, then waits until the entry is in force.
package directory
