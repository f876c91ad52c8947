package httpapi

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// forwardedFor is the one header that is believed about where a request comes from, and from trusted proxies alone.
const forwardedFor = "X-Forwarded-For"

// clientAddr returns the address that a request comes from, as far as trusted
// proxies can tell: what the journal, the log, limits and allow lists go by. IPv4 is
// never written as IPv6 in it, and it has no zone. It is not valid outside of a
// request, and where the connection is not one of TCP.
func clientAddr(ctx context.Context) netip.Addr { return infoFrom(ctx).addr }

// proxies are the networks of proxies that are believed when they say whom a request is from.
type proxies []netip.Prefix

func newProxies(networks account.Networks) proxies {
	var out proxies
	for _, text := range networks.List() {
		if p, err := netip.ParsePrefix(text); err == nil { // as ParseNetworks writes them
			out = append(out, p)
		}
	}
	return out
}

func (p proxies) trust(a netip.Addr) bool {
	return slices.ContainsFunc(p, func(n netip.Prefix) bool { return n.Contains(a) })
}

// client returns the address that a request comes from. A peer that is not trusted
// is the client, whatever it says of others. A trusted one has written down, at the end of
// X-Forwarded-For, from whom it has the request; so the last entry that is not itself a trusted
// proxy is the client, and what stands before it is the client's own invention. If
// all are trusted it is the first, and the peer itself if there is none.
//
// An Invalid fault (invalid_forwarded_for) with the peer's address if the entry that would
// count is no address: taking another for it might let pass whom a list keeps out.
func (p proxies) client(r *http.Request) (netip.Addr, error) {
	peer := peerAddr(r.RemoteAddr)
	if !p.trust(peer) {
		return peer, nil
	}
	client := peer
	for _, header := range slices.Backward(r.Header.Values(forwardedFor)) {
		for more := true; more; {
			var entry string
			header, entry, more = cutLast(header)
			if entry == "" { // lists may have empty entries (RFC 9110, section 5.6.1)
				continue
			}
			a, ok := parseHop(entry)
			if !ok {
				return peer, fault.New(fault.Invalid, "invalid_forwarded_for", "a trusted proxy says that the request comes from %s, which is no address", account.Quote(entry)).In(forwardedFor)
			}
			client = a
			if !p.trust(a) {
				return client, nil
			}
		}
	}
	return client, nil
}

// cutLast cuts the last entry off a list.
func cutLast(list string) (rest, last string, more bool) {
	i := strings.LastIndexByte(list, ',')
	if i < 0 {
		return "", strings.Trim(list, " \t"), false
	}
	return list[:i], strings.Trim(list[i+1:], " \t"), true
}

// peerAddr is the address at the other end of a connection; not valid if it has none.
func peerAddr(remote string) netip.Addr {
	a, _ := parseHop(remote)
	return a
}

// parseHop reads an address, also with a port or in brackets, as some proxies write it.
func parseHop(text string) (netip.Addr, bool) {
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return plain(withPort.Addr()), true
	}
	if inner, ok := strings.CutPrefix(text, "["); ok && strings.HasSuffix(inner, "]") && strings.Contains(inner, ":") {
		text = strings.TrimSuffix(inner, "]")
	}
	a, err := netip.ParseAddr(text)
	return plain(a), err == nil
}

// plain is an address in the one form in which addresses are compared.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
