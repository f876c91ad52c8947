package switcher

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/store"
	"github.com/tenantry/tenantry/schema"
)

// BenchmarkLoad loads the index of the directory's database that INDEX_DATABASE names, or of a
// small one that it makes. It reports the seconds until every environment is ready, and in MB
// the heap in use after that, the memory that the process holds, and the most it ever held.
func BenchmarkLoad(b *testing.B) {
	dsn := os.Getenv("INDEX_DATABASE")
	if dsn == "" {
		dsn = smallDatabase(b)
	}
	db, err := store.Open(b.Context(), dsn, store.Config{MustExist: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	catalogue, err := schema.Default()
	if err != nil {
		b.Fatal(err)
	}
	chunkMost, chunkFull = maxChunk, maxChunk*3/4
	for b.Loop() {
		begun := time.Now()
		x, stop := loaded(b, db, catalogue)
		b.ReportMetric(time.Since(begun).Seconds(), "s/ready")
		b.ReportMetric(processMB(b, "VmRSS:"), "MB-process-when-ready")
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/1e6, "MB-heap")
		b.ReportMetric(processMB(b, "VmHWM:"), "MB-process-most")
		runtime.KeepAlive(x)
		stop()
	}
}

// loaded returns an index that has loaded every environment.
func loaded(b *testing.B, db *store.DB, catalogue *schema.Catalogue) (x *Index, stop func()) {
	b.Helper()
	x = New(db, catalogue, Config{})
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = x.Run(ctx)
	}()
	heads, err := db.Heads(ctx)
	if err != nil {
		b.Fatal(err)
	}
	for env := range heads {
		for next := x.Next(env); ; next = x.Next(env) {
			if _, err := x.View(ctx, env, 0); err == nil {
				break
			}
			<-next
		}
	}
	return x, func() { cancel(); <-done }
}

// processMB is a figure of the process's memory; 0 where the system does not tell it.
func processMB(b *testing.B, name string) float64 {
	b.Helper()
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > 1 && fields[0] == name {
			kB, _ := strconv.ParseFloat(fields[1], 64)
			return kB / 1000
		}
	}
	return 0
}

// smallDatabase makes a database of 10,000 accounts and users, and 20,000 memberships.
func smallDatabase(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "directory.db")
	db, err := store.Open(b.Context(), path, store.Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	created := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	entry := func(changes ...account.Change) account.Entry {
		return account.Entry{At: created, Actor: account.Actor{System: true}, Kind: account.Imported, Changes: changes}
	}
	env := account.Environment{ID: "prod", Name: "Prod", DefaultAccessMode: account.DefaultOff, MaxDepth: account.DefaultMaxDepth, CreatedAt: created}
	if err := db.CreateEnvironment(b.Context(), entry(account.Change{After: account.Of(env)})); err != nil {
		b.Fatal(err)
	}
	changes := []account.Change{{After: account.Of(account.Role{Key: "reader", Name: "Reader", Permissions: []account.PermissionKey{}})}}
	id := func(i int) account.ID { return account.ID(fmt.Sprintf("acc-%d", i)) }
	const accounts = 10_000
	for i := range accounts {
		a := account.Account{ID: id(i), Name: fmt.Sprintf("Account %d", i), AccessMode: account.DefaultOff, CreatedAt: created}
		if i > 0 {
			a.Parent = id((i - 1) / 10)
		}
		user := account.UserID(fmt.Sprintf("user-%d", i))
		changes = append(changes, account.Change{After: account.Of(a)},
			account.Change{After: account.Of(account.User{ID: user, Email: string(user) + "@example.com", Name: "User", CreatedAt: created})})
		for _, at := range []int{i, (i + 1) % accounts} {
			changes = append(changes, account.Change{After: account.Of(account.Membership{
				Account: id(at), User: user, Roles: []account.RoleKey{"reader"}, CreatedAt: created,
			})})
		}
	}
	err = db.Write(b.Context(), "prod", func(tx directory.Tx) error {
		_, err := tx.Append(b.Context(), entry(changes...))
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return path
}
