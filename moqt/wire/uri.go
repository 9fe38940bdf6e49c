package wire

import (
	"net/netip"
	"strings"
)

// subDelims are RFC 3986's sub-delims; unreserved its unreserved characters but letters and digits.
const (
	subDelims  = "!$&'()*+,;="
	unreserved = "-._~"
)

// validPath: RFC 3986's path-abempty, and "?" and a query if there is one (draft-15 §9.3.1.2).
func validPath(s string) bool {
	path, query, _ := strings.Cut(s, "?")
	return (path == "" || path[0] == '/') && uriChars(path, ":@/") && uriChars(query, ":@/?")
}

// validAuthority: RFC 3986's authority, whose host the moqt scheme forbids to be empty (draft-15 §3.1.2).
func validAuthority(s string) bool {
	host := s
	if user, rest, ok := strings.Cut(s, "@"); ok {
		if !uriChars(user, ":") {
			return false
		}
		host = rest
	}
	if literal, rest, ok := strings.Cut(host, "]"); ok {
		return validIPLiteral(literal) && (rest == "" || rest[0] == ':' && onlyDigits(rest[1:]))
	}
	host, port, _ := strings.Cut(host, ":")
	return host != "" && uriChars(host, "") && onlyDigits(port)
}

// validIPLiteral takes an IP-literal without its closing bracket: "[::1", or the IPvFuture "[v1.x".
func validIPLiteral(s string) bool {
	s, ok := strings.CutPrefix(s, "[")
	if !ok || s == "" {
		return false
	}
	if s[0] == 'v' || s[0] == 'V' {
		version, address, _ := strings.Cut(s[1:], ".")
		return version != "" && strings.Trim(version, "0123456789abcdefABCDEF") == "" && address != "" &&
			!strings.Contains(address, "%") && uriChars(address, ":")
	}
	ip, err := netip.ParseAddr(s)
	return err == nil && ip.Is6() && ip.Zone() == ""
}

func onlyDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// uriChars reports whether s is made of unreserved characters, sub-delims, the characters of more, and whole
// percent-encodings.
func uriChars(s, more string) bool {
	for i := 0; i < len(s); i++ {
		switch b := s[i]; {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9':
		case strings.IndexByte(unreserved+subDelims, b) >= 0, strings.IndexByte(more, b) >= 0:
		case b == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			i += 2
		default:
			return false
		}
	}
	return true
}

func isHex(b byte) bool { return '0' <= b && b <= '9' || 'a' <= b && b <= 'f' || 'A' <= b && b <= 'F' }
