package report

import (
	"fmt"
	"strings"

	"github.com/tenantry/tenantry/bench/internal/figures"
)

// pictures shows the plots.
func (r *Report) pictures(m markdown, folder string) {
	m.line("")
	m.line("## Plots")
	for _, p := range r.plots() {
		m.line("")
		m.line("![%s](%s/%s.svg)", p.title, folder, p.file)
	}
}

// reading says what was measured on what, and how to read it.
func (r *Report) reading(m markdown) {
	m.line("")
	m.line("## How to read it")
	m.line("")
	for _, text := range []string{
		"Systems take turns within each round, each round beginning with another one, so that other work on the machine hits all alike. Trust ratios more than times, and distrust any with a wide spread.",
		"Client and system share the machine's cores, and PostgreSQL has its part of them too. With more cores, or elsewhere with a network in between, the figures are others.",
		"All but the systems in process are asked over the loopback interface: Tenantry and the bare server by HTTP and JSON, SpiceDB and OpenFGA by gRPC, SQL by pgx with prepared statements. Decoding the answer counts.",
		"Warm is the same question again and again: caches of every system help. The check that comes only once, of hardly a user twice, is the cold one; the start table has the first questions after a start.",
		"Operations of less than 5 µs are timed 256 at once, so their p99 is of such batches. Operations of more than half a second are done once a round.",
		"SpiceDB and Tenantry are asked at least as fresh as the newest change. OpenFGA has no such token; its caches are off, which is its default. Durability is on everywhere: fsync and synchronous commit on PostgreSQL, synchronous=FULL on SQLite; the arrays have none.",
		"SpiceDB's list is LookupResources without a limit, which streams everything in one call; pages by cursor take longer. A full list of Tenantry is `GET /v1/users/{user}/accounts/ids`: up to 100,000 ids in one answer.",
		"With the index on, every answer of Tenantry's had to say that it was the index's (`answered_by`), with it off that it was the engine's; any other is an error, and shown as one. SpiceDB's database is a copy of Tenantry's engine in the cluster, filled by one bulk import.",
		"A row of a page: of Tenantry id, name, parent, depth, path of ids and names, date, roles and sources of access; of the arrays id, name, parent, depth and path of ids and names, over HTTP and in process alike; of SQL id and name; of SpiceDB and OpenFGA the id, to which the client adds. The arrays' list in process is of numbers, the index's of ids.",
		"Tenantry's index in process is package internal/switcher on a journal in memory: its changes are acknowledged when it shows them, and nothing is written down.",
		"Tenantry and SpiceDB also decide on blocking, expiry and portal roles, of which the content has none. SQL, OpenFGA's model and the arrays know nothing of them.",
		"A change is visible when the first answer that shows it has arrived, so one check or one list of a dozen accounts is in that time.",
	} {
		m.line("- %s", text)
	}
	m.line("")
	m.line("## What it was measured on")
	m.line("")
	m.head("", "")
	for _, f := range r.Machine {
		m.row(f.Name, f.Value)
	}
	for _, f := range r.Versions {
		m.row(f.Name, f.Value)
	}
	for _, f := range r.Settings {
		m.row(f.Name, f.Value)
	}
	for _, f := range r.content() {
		m.row(f.Name, f.Value)
	}
}

// content describes the data.
func (r *Report) content() []Fact {
	w := r.Main.World
	branches, always := 0, 0
	for _, m := range w.Memberships {
		if m.Branch {
			branches++
		}
	}
	for _, on := range w.AlwaysOn {
		if on {
			always++
		}
	}
	text := fmt.Sprintf("%s accounts, the parent of account i is (i-1)/10; %s users with %s memberships, %s of them with sub-account access; %s accounts always_on; seed %d",
		figures.Thousands(w.Size.Accounts), figures.Thousands(w.Users), figures.Thousands(len(w.Memberships)), figures.Thousands(branches), figures.Thousands(always), w.Size.Seed)
	var named []string
	for _, reach := range w.Reaches {
		named = append(named, figures.Thousands(reach.Accounts))
	}
	return []Fact{{"data", text}, {
		"named users",
		"one grant of sub-account access each opens " + strings.Join(named, "; ") + " accounts; one user has three direct memberships, a stranger one leaf",
	}}
}
