package cli

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/httpapi"
)

// entrance are the flags that say how callers come in.
type entrance struct {
	cfg     app.Transport
	proxies []string
	origins []string
}

// What one caller may ask of a server on one machine, unless the operator says otherwise.
const (
	defaultRate     = 1000 // a second, with one credential
	defaultAddress  = 2000 // a second, from one address
	defaultFailures = 60   // a minute, from one address
)

func (e *entrance) register(flags *pflag.FlagSet) {
	flags.StringSliceVar(&e.proxies, "trusted-proxies", nil, "networks of the proxies before the server, like 10.0.0.0/8; from them, X-Forwarded-For says where requests come from")
	flags.StringVar(&e.cfg.TLS.Cert, "tls-cert", "", "PEM file with the server's certificate and its chain; it may be replaced while the server runs (default: no TLS)")
	flags.StringVar(&e.cfg.TLS.Key, "tls-key", "", "PEM file with that certificate's key")
	flags.StringSliceVar(&e.origins, "cors-origins", nil, "origins of web pages that may call, like https://app.example (default: none)")
	flags.IntVar(&e.cfg.Limits.Credential, "rate-limit", defaultRate, "the most requests a second with one credential; 0 is no limit")
	flags.IntVar(&e.cfg.Limits.Address, "address-rate-limit", defaultAddress, "the most requests a second from one address, or /64 of IPv6; 0 is no limit")
	flags.IntVar(&e.cfg.Limits.Failures, "failed-auth-limit", defaultFailures, "the most requests a minute from one address whose credential is wrong; 0 is no limit")
	flags.IntVar(&e.cfg.Limits.AtWork, "concurrency", 0, "how many questions are worked on at once, and as many changes; half of them with one credential (default: the processors, 2 at least; with --engine 8 a processor, 16 at least)")
	flags.IntVar(&e.cfg.Connections.Most, "max-connections", 0, "the most connections at once; a quarter of them from one address (default 4096)")
}

// config returns the configuration. Wrong use, or Invalid faults (invalid_network, too_many_networks, invalid_origin).
func (e *entrance) config() (app.Transport, error) {
	cfg := e.cfg
	if (cfg.TLS.Cert == "") != (cfg.TLS.Key == "") {
		return cfg, usage{fmt.Errorf("--tls-cert and --tls-key go together")}
	}
	for flag, value := range map[string]int{
		"rate-limit": cfg.Limits.Credential, "address-rate-limit": cfg.Limits.Address, "failed-auth-limit": cfg.Limits.Failures,
		"concurrency": cfg.Limits.AtWork, "max-connections": cfg.Connections.Most,
	} {
		if value < 0 {
			return cfg, usage{fmt.Errorf("--%s is not less than 0", flag)}
		}
	}
	var err error
	if cfg.TrustedProxies, err = account.ParseNetworks("trusted-proxies", e.proxies); err != nil {
		return cfg, err
	}
	cfg.Origins, err = httpapi.CheckOrigins(e.origins)
	return cfg, err
}
