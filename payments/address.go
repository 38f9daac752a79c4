package payments

import (
	"net"
	"net/url"
)

// MayCarryKey reports whether a rail's key may be sent to an address: encrypted or, for a
// stand-in, to this machine.
func MayCarryKey(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}
