package app

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/fault"
)

// TestPublicAddress: what tokens may be issued in the name of.
func TestPublicAddress(t *testing.T) {
	for address, good := range map[string]bool{
		"": true, "https://tenantry.example": true, "https://tenantry.example:8443": true, "http://127.0.0.1:8080": true, "http://[::1]:8080": true, "http://localhost:1": true,
		"http://tenantry.example": false, "https://tenantry.example/": false, "https://tenantry.example/path": false, "https://tenantry.example?x": false,
		"https://tenantry.example#x": false, "https://u:p@tenantry.example": false, "tenantry.example": false, "https://": false, "https://:8080": false,
		"HTTPS://tenantry.example": false, "https://Tenantry.example": false, "ftp://tenantry.example": false, "https://a b": false, "http://127.0.0.1.example": false,
	} {
		err := Config{PublicURL: address}.check()
		if (err == nil) != good || err != nil && fault.From(err).Code != "invalid_public_url" {
			t.Errorf("%s: %v", address, err)
		}
	}
	for age, good := range map[time.Duration]bool{0: true, 24 * time.Hour: true, 24*time.Hour - 1: false, -time.Hour: false} {
		err := Config{KeyAge: age}.check()
		if (err == nil) != good || err != nil && fault.From(err).Code != "invalid_key_age" {
			t.Errorf("%s: %v", age, err)
		}
	}
	for listens, want := range map[string]string{
		"127.0.0.1:8080": "http://127.0.0.1:8080", "0.0.0.0:80": "http://127.0.0.1:80", "[::]:8080": "http://127.0.0.1:8080", "[::1]:8080": "http://[::1]:8080", "192.0.2.1:80": "http://127.0.0.1:80",
	} {
		address, err := net.ResolveTCPAddr("tcp", listens)
		if err != nil {
			t.Fatal(err)
		}
		got, here := addressHere(address, false)
		if got != want || checkPublicURL(got) != nil || here != address.IP.IsLoopback() {
			t.Errorf("%s: %s, %t, want %s", listens, got, here, want)
		}
		if encrypted, _ := addressHere(address, true); encrypted != strings.Replace(want, "http:", "https:", 1) {
			t.Errorf("%s with TLS: %s", listens, encrypted)
		}
	}
}
