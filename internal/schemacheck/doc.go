// Package schemacheck builds schemas from the permission catalogue and checks schemas and validation files in process, with findings that point into the files they were read from.
//
// A validation file is YAML in SpiceDB's form: a schema (or the name of its
// file), relationships, and what must follow from them: assertions and expected
// relations. Nothing here needs a running engine or a network.
package schemacheck
