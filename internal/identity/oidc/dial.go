package oidc

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
)

// newClient returns the client for providers. It uses no proxy, as what is
// dialled would be the proxy then, and keeps no connection: it is needed seldom.
func newClient(cfg Config) *http.Client {
	dialer := &net.Dialer{Timeout: cfg.Timeout, Control: func(_, address string, _ syscall.RawConn) error {
		return guard(address, cfg.AllowHTTP)
	}}
	transport := &http.Transport{
		DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{RootCAs: cfg.Roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: cfg.Timeout, ResponseHeaderTimeout: cfg.Timeout, MaxResponseHeaderBytes: maxHeaders,
		DisableKeepAlives: true, ForceAttemptHTTP2: true,
	}
	return &http.Client{Transport: bounded{transport}, Timeout: cfg.Timeout, CheckRedirect: stay}
}

// stay follows redirects of a host to itself, and no others.
func stay(to *http.Request, via []*http.Request) error {
	if len(via) > maxHops {
		return fmt.Errorf("it redirects more than %d times", maxHops)
	}
	if to.URL.Scheme != via[0].URL.Scheme || to.URL.Host != via[0].URL.Host {
		return errors.New("it redirects to another host")
	}
	return nil
}

// guard refuses addresses that a provider cannot have: it is called with what is
// dialled, so that names which change what they mean do not help.
func guard(address string, allowLoopback bool) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return errors.New("it is no address")
	}
	if isForbidden(plain(at.Addr()), allowLoopback) {
		return errors.New("its address is one of this machine, of its network link, or of no machine")
	}
	return nil
}

func isForbidden(ip netip.Addr, allowLoopback bool) bool {
	if ip.IsLoopback() {
		return !allowLoopback
	}
	return ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast() ||
		slices.ContainsFunc(forbidden(), func(n netip.Prefix) bool { return n.Contains(ip) })
}

// forbidden are further networks in which there is no provider: of this host, kept
// for later, of links as they were before; and services of clouds that tell
// machines their secrets at an address that is not of the link.
func forbidden() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("fec0::/10"),
		netip.MustParsePrefix("fd00:ec2::/32"), netip.MustParsePrefix("fd20:ce::/32"),
		netip.MustParsePrefix("100.100.100.200/32"), netip.MustParsePrefix("168.63.129.16/32"), netip.MustParsePrefix("192.0.0.192/32"),
	}
}

// plain takes an IPv4 address out of an IPv6 address that stands for it: mapped,
// compatible, by NAT64 or by 6to4.
func plain(ip netip.Addr) netip.Addr {
	ip = ip.WithZone("").Unmap()
	if !ip.Is6() {
		return ip
	}
	b := ip.As16()
	switch {
	case netip.MustParsePrefix("::/96").Contains(ip) && ip != netip.IPv6Loopback() && !ip.IsUnspecified():
		return netip.AddrFrom4([4]byte(b[12:16]))
	case netip.MustParsePrefix("64:ff9b::/96").Contains(ip):
		return netip.AddrFrom4([4]byte(b[12:16]))
	case netip.MustParsePrefix("2002::/16").Contains(ip):
		return netip.AddrFrom4([4]byte(b[2:6]))
	default:
		return ip
	}
}

// bounded bounds the bodies of answers.
type bounded struct{ http.RoundTripper }

// RoundTrip is that of the transport below.
func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(req)
	if err == nil {
		resp.Body = http.MaxBytesReader(nil, resp.Body, maxBody)
	}
	return resp, err
}
