package wire

import "testing"

// TestURIParts: what RFC 3986 allows as PATH and AUTHORITY, and what it does not (draft-18 §10.3.1.1, §10.3.1.2).
func TestURIParts(t *testing.T) {
	for _, x := range []struct {
		valid     func(string) bool
		good, bad []string
	}{
		{
			validPath,
			[]string{"", "/", "//", "/a", "?", "?q", "/a?b=c", "/%41", "/a:@b", "/?a/?", "/a;b=c,d",
				"/!$&'()*+,;=:@-._~", "/a?%20", "/aB9/../."},
			[]string{"a", "a/b", "/ ", "/#", "/[", "/%4", "/%", "/%zz", "/a?%zz", "/a?%2", "/a\\", "/é", "/\x00",
				"/\x7f", "/a?b#c", "/a?[", "x://y", "/a|", "/^", "/`", "/{", "/\"", "/<"},
		},
		{
			validAuthority,
			[]string{"h", "h:1", "h:", "[::1]", "[::1]:4", "[::ffff:1.2.3.4]", "u@h", "u:p@h:1", "@h", "1.2.3.4",
				"a%41b", "a_b~-.", "h!$&'()*+,;=", "[v1.a:b]", "[vF0.x]:9", "xn--a", "h:99999"},
			[]string{"", ":443", "u@", "u@:1", "h h", "h/", "h?", "h#", "[::1", "::1", "h:x", "h:1:2", "a b@h", "a%4",
				"%zz", "a@b@c", "[]", "[g]", "a[b]", "[1.2.3.4]", "[::1%25eth0]", "[v.a]", "[v1.]",
				"[v1.%41]", "é", "h\\", "[::1]x", "[::1]:x", "u/@h"},
		},
	} {
		for _, s := range x.good {
			if !x.valid(s) {
				t.Errorf("%q is refused", s)
			}
		}
		for _, s := range x.bad {
			if x.valid(s) {
				t.Errorf("%q is let pass", s)
			}
		}
	}
}
