package httpapi

import (
	"context"
	"net/netip"
)

// clientAddr is the address that a request came from; the zero Addr if that is not known.
func clientAddr(ctx context.Context) netip.Addr {
	addr, _ := netip.ParseAddr(infoFrom(ctx).from)
	return addr.Unmap()
}
