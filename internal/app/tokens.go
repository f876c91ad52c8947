package app

import (
	"errors"
	"net"
	"net/url"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
	"github.com/tenantry/tenantry/internal/store"
)

// check refuses settings of issued tokens that cannot be meant: Invalid faults
// (invalid_public_url, invalid_key_age).
func (c Config) check() error {
	return errors.Join(checkPublicURL(c.PublicURL), checkKeyAge(c))
}

func checkKeyAge(c Config) error {
	if c.KeyAge != 0 && c.KeyAge < account.MinKeyAge {
		return fault.New(fault.Invalid, "invalid_key_age", "the age at which signing keys are replaced is at least %s, not %s", account.MinKeyAge, c.KeyAge).In("key-age")
	}
	return nil
}

// checkPublicURL returns an Invalid fault (invalid_public_url) unless address is
// empty or one that tokens may be issued in the name of: an https one, or an http
// one of this machine, and nothing but scheme, host and port.
func checkPublicURL(address string) error {
	if address == "" {
		return nil
	}
	u, err := url.Parse(address)
	bad := fault.New(fault.Invalid, "invalid_public_url",
		"the public address is written like https://tenantry.example, without a path or a slash at its end; http is for this machine alone, not %s", account.Quote(address)).In("public-url")
	if err != nil || u.Hostname() == "" || u.Scheme+"://"+u.Host != address || address != strings.ToLower(address) {
		return bad
	}
	if u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()) {
		return nil
	}
	return bad
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// addressHere is the address on this machine of what listens on every address, or
// on some: good for trying things out. here is whether it listens to this machine alone.
func addressHere(listens net.Addr, encrypted bool) (address string, here bool) {
	scheme := "http://"
	if encrypted {
		scheme = "https://"
	}
	host, port, err := net.SplitHostPort(listens.String())
	if err != nil {
		return scheme + listens.String(), true
	}
	if here = isLoopback(host); !here {
		host = "127.0.0.1"
	}
	return scheme + net.JoinHostPort(host, port), here
}

// keyring is the signing keys in the directory's database.
func (c Config) keyring(db *store.DB) *identity.Keyring {
	return identity.NewKeyring(db, identity.KeyConfig{Age: c.KeyAge, Now: c.Now, Log: c.Log})
}
