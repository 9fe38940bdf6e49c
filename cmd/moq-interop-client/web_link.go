package main

import (
	"net"
	"net/url"
)

// pageAddr is where `web` serves its page unless it is told another place.
const pageAddr = "127.0.0.1:8080"

// pageLink is a link to the page of `web` that names a relay of this machine, and its certificate's hash.
func pageLink(relay net.Addr, hash string) string {
	host, port, err := net.SplitHostPort(relay.String())
	if err != nil {
		return "http://" + pageAddr + "/"
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	values := url.Values{"relay": {"https://" + net.JoinHostPort(host, port) + "/"}, "hash": {hash}}
	return "http://" + pageAddr + "/#" + values.Encode()
}
