// Package testmail is a test helper: a real SMTP server on the loopback address that keeps what it receives.
//
// It encrypts with a certificate made when it starts, which clients trust by
// [Server.CAFile]. A test can send it away and bring it back on the same port,
// have it refuse, or hold a letter up.
package testmail
