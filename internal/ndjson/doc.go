// Package ndjson reads and writes the load format: an environment's content as text, one JSON object a line.
//
// The field "kind" says what a line is:
//
//	{"kind":"environment","id":"production","name":"Production","sub_accounts_enabled":true,"default_access_mode":"default_off","max_depth":16}
//	{"kind":"role","key":"admin","name":"Administrator","account":null,"permissions":["fe.secure.read.users"]}
//	{"kind":"account","id":"globex","name":"Globex","parent":null,"sub_account_management":true,"sub_account_access":"default_off","created_at":"2024-05-01T09:00:00Z"}
//	{"kind":"user","id":"ada","email":"ada@globex.example","name":"Ada","blocked":false,"created_at":"2024-05-01T09:00:00Z"}
//	{"kind":"membership","account":"globex","user":"ada","roles":["admin"],"sub_account_access":true,"kept_from_always_on":false,"expires_at":"2035-01-01T00:00:00Z"}
//
// Needed are the id of an environment; key and permissions of a role; id and name
// of an account; id and email of a user; account, user and roles of a membership.
// Everything else may be left out or null. Left out, flags are false, an
// environment's name is its id, its default_access_mode is default_off and its
// max_depth [account.DefaultMaxDepth], an account's sub_account_access is its
// environment's default, and a membership's is what the account's access mode
// gives a new member (S3).
//
// An environment line starts that environment: the lines after it, up to the next
// such line, belong to it. Lines before the first belong to the environment that
// the load was started for. Empty lines, and lines that begin with #, mean nothing.
//
// What a line refers to is not looked up here, nor are permissions sought in the
// catalogue: that is for the use case that loads the records.
package ndjson
