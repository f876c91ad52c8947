// Package testdata holds the demo data: a reseller with its customers, as the demo serves it and tests use it.
package testdata

import _ "embed"

// Demo is the demo's directory, in the load format.
//
//go:embed demo.ndjson
var Demo []byte
