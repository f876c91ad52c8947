package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/httpapi"
	"github.com/tenantry/tenantry/internal/transport"
)

// entered is what flags make of the way in.
func entered(t *testing.T, args ...string) (app.Transport, error) {
	t.Helper()
	var e entrance
	flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	e.register(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return e.config()
}

func TestFlagsOfTheTransport(t *testing.T) {
	got, err := entered(t)
	if diff := cmp.Diff(app.Transport{Limits: httpapi.Limits{Credential: 1000, Address: 2000, Failures: 60}, Origins: nil}, got); diff != "" || err != nil {
		t.Errorf("by default: %v (-want +got):\n%s", err, diff)
	}
	got, err = entered(t, "--trusted-proxies", "10.0.0.0/8,2001:db8::1", "--tls-cert", "c", "--tls-key", "k", "--cors-origins", "https://App.example,http://localhost:1",
		"--rate-limit", "0", "--address-rate-limit", "7", "--failed-auth-limit", "8", "--concurrency", "9", "--max-connections", "10")
	want := app.Transport{
		TrustedProxies: "10.0.0.0/8 2001:db8::1/128", Origins: []string{"http://localhost:1", "https://app.example"},
		Limits:      httpapi.Limits{Address: 7, Failures: 8, AtWork: 9},
		Connections: transport.Bounds{Most: 10}, TLS: transport.Files{Cert: "c", Key: "k"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, wrong := range []string{
		"--tls-cert=c", "--tls-key=k", "--rate-limit=-1", "--concurrency=-1", "--max-connections=-5", "--failed-auth-limit=-1",
		"--trusted-proxies=10.0.0.0/33", "--trusted-proxies=proxy.example", "--cors-origins=*", "--cors-origins=null",
	} {
		if _, err := entered(t, wrong); err == nil || exitCode(err) != exitUsage {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}
