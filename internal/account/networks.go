package account

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/fault"
)

// Networks is a set of IPv4 and IPv6 networks, as text: prefixes like
// 192.0.2.0/24, sorted and separated by spaces. The zero value has none; two are
// the same set if they are equal. In JSON it is an array of prefixes.
type Networks string

// MaxNetworks is the most networks of a set.
const MaxNetworks = 100

// ParseNetworks returns the set of the prefixes and single addresses given, in
// their shortest form. Invalid faults (invalid_network, too_many_networks) naming the field.
func ParseNetworks(field string, texts []string) (Networks, error) {
	if len(texts) > MaxNetworks {
		return "", fault.New(fault.Invalid, "too_many_networks", "%s has at most %d networks, not %d", field, MaxNetworks, len(texts)).In(field)
	}
	prefixes := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		p, ok := parseNetwork(strings.TrimSpace(text))
		if !ok {
			return "", fault.New(fault.Invalid, "invalid_network", "%s: %s is no address or network; write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32", field, Quote(text)).In(field)
		}
		prefixes = append(prefixes, p)
	}
	slices.SortFunc(prefixes, netip.Prefix.Compare)
	var out []string
	for _, p := range slices.Compact(prefixes) {
		out = append(out, p.String())
	}
	return Networks(strings.Join(out, " ")), nil
}

// parseNetwork reads a prefix or an address. IPv4 written as IPv6 is read as IPv4, zones are refused.
func parseNetwork(text string) (netip.Prefix, bool) {
	if !strings.Contains(text, "/") {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, false
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, false
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, false
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), true
}

// Text returns the set as it is kept, which is not how JSON has it.
func (n Networks) Text() string { return string(n) }

// List returns the prefixes, sorted.
func (n Networks) List() []string {
	return strings.Fields(string(n))
}

// Contains reports whether an address lies in one of the networks. An address that is not valid does not.
func (n Networks) Contains(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for text := range strings.FieldsSeq(string(n)) {
		if p, err := netip.ParsePrefix(text); err == nil && p.Contains(a) {
			return true
		}
	}
	return false
}

// MarshalJSON writes an array of prefixes.
func (n Networks) MarshalJSON() ([]byte, error) {
	return json.Marshal(append([]string{}, n.List()...))
}

// UnmarshalJSON reads an array of prefixes.
func (n *Networks) UnmarshalJSON(data []byte) error {
	var texts []string
	if err := json.Unmarshal(data, &texts); err != nil {
		return err
	}
	parsed, err := ParseNetworks("networks", texts)
	*n = parsed
	return err
}
