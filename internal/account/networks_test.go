package account_test

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

func TestE3_Networks(t *testing.T) {
	for _, tt := range []struct {
		in   []string
		want account.Networks
		code string
	}{
		{nil, "", ""},
		{[]string{"192.0.2.7"}, "192.0.2.7/32", ""},
		{[]string{"192.0.2.77/24", " 192.0.2.0/24"}, "192.0.2.0/24", ""},
		{[]string{"::ffff:192.0.2.7", "::ffff:192.0.2.0/120"}, "192.0.2.0/24 192.0.2.7/32", ""},
		{[]string{"2001:DB8:0::1", "10.0.0.0/8"}, "10.0.0.0/8 2001:db8::1/128", ""},
		{[]string{"0.0.0.0/0", "::/0"}, "0.0.0.0/0 ::/0", ""},
		{[]string{""}, "", "invalid_network"},
		{[]string{"192.0.2.0/33"}, "", "invalid_network"},
		{[]string{"192.0.2.007"}, "", "invalid_network"},
		{[]string{"fe80::1%eth0"}, "", "invalid_network"},
		{[]string{"::ffff:0:0/90"}, "", "invalid_network"},
		{[]string{"example.com"}, "", "invalid_network"},
		{[]string{"10.0.0.0/8 192.0.2.7"}, "", "invalid_network"},
		{strings.Split(strings.Repeat("10.0.0.1,", 101)+"10.0.0.1", ","), "", "too_many_networks"},
	} {
		got, err := account.ParseNetworks("ip_allow_list", tt.in)
		if tt.code != "" {
			if !fault.HasCode(err, tt.code) || fault.From(err).Field != "ip_allow_list" {
				t.Errorf("%q: %v, want %s", tt.in, err, tt.code)
			}
			continue
		}
		if err != nil || got != tt.want {
			t.Errorf("%q: %q, %v; want %q", tt.in, got, err, tt.want)
		}
		text, err := json.Marshal(got)
		var again account.Networks
		if err != nil || json.Unmarshal(text, &again) != nil || again != got {
			t.Errorf("%q: as JSON %s, and back %q, %v", tt.in, text, again, err)
		}
	}
}

func TestE3_NetworksContain(t *testing.T) {
	n := account.Networks("10.0.0.0/8 192.0.2.7/32 2001:db8::/32")
	for address, want := range map[string]bool{
		"10.255.0.1": true, "11.0.0.1": false, "192.0.2.7": true, "192.0.2.8": false, "::ffff:10.0.0.1": true,
		"2001:db8:1::1": true, "2001:db9::1": false, "::ffff:11.0.0.1": false,
	} {
		if got := n.Contains(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %t", address, got)
		}
	}
	if n.Contains(netip.Addr{}) || account.Networks("").Contains(netip.MustParseAddr("10.0.0.1")) {
		t.Error("no address, or no network, contains")
	}
}

func FuzzNetworks(f *testing.F) {
	for _, text := range []string{"10.0.0.0/8", "2001:db8::/32", "::ffff:10.0.0.1", "fe80::1%x", "1/1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := account.ParseNetworks("x", []string{text})
		if err != nil {
			return
		}
		again, err := account.ParseNetworks("x", n.List())
		if err != nil || again != n || len(n.List()) != 1 {
			t.Errorf("%q is %q, and that is %q, %v", text, n, again, err)
		}
	})
}
