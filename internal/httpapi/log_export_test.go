package httpapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
)

// counting is known as often as it is told.
type counting struct {
	known
	left atomic.Int64
}

func (c *counting) Authenticate(ctx context.Context, p identity.Presented) (identity.Caller, error) {
	if c.left.Add(-1) < 0 {
		return identity.Caller{}, fault.New(fault.Unauthenticated, "unauthenticated", "revoked")
	}
	return c.known.Authenticate(ctx, p)
}

// TestL1_ExportsThatCannotGoOnAreBrokenOff: who loses the right in the middle of an
// export gets no end that looks like one.
func TestL1_ExportsThatCannotGoOnAreBrokenOff(t *testing.T) {
	b := newBroadcast(t, StreamConfig{})
	err := b.db.Write(t.Context(), "prod", func(tx directory.Tx) error {
		for range 2500 { // three pages
			if _, err := tx.Append(t.Context(), account.Entry{Kind: account.Imported}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	auth := &counting{}
	b.Config.Handler = New(Deps{Directory: b.d, Authenticator: auth, Stopping: b.stop}, Config{})
	export := func(times int64) (string, error) {
		t.Helper()
		auth.left.Store(times)
		resp := b.open("/v1/journal/export").resp
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("status %d", resp.StatusCode)
		}
		text, err := io.ReadAll(resp.Body)
		return string(text), err
	}
	const end = `{"complete":true,"entries":2501,"through":2501}`
	if text, err := export(4); err != nil || !strings.HasSuffix(text, end+"\n") || strings.Count(text, "\n") != 2502 {
		t.Errorf("a whole export: %v, %d lines", err, strings.Count(text, "\n"))
	}
	if text, err := export(3); !errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(text, "complete") || text == "" {
		t.Errorf("a cut export: %v, %d lines", err, strings.Count(text, "\n"))
	}
	close(b.stop)
	auth.left.Store(10)
	if resp, err := http.DefaultClient.Do(request(t, b.URL+"/v1/journal/export")); err == nil {
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err == nil || bytes.Contains(text, []byte("complete")) {
			t.Errorf("an export while the server stops: %v %s", err, text)
		}
	}
}

func request(t *testing.T, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer good")
	return req
}
