// Package mail writes letters from templates and sends them by SMTP, from a queue that outlives failures of the mail server and of Tenantry.
//
// [Sender] knows the mail server and the templates, and sends one [Letter] at a
// time. [Courier] takes jobs from a [Queue], has the queue make each letter, with
// a link that is new each time, and sends it; what fails is tried again for about
// three days. docs/decisions/0016-mail.md has the reasons.
package mail
