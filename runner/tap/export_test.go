package tap

import "io"

// ParseLimited is Parse with another limit in place of 16 MiB.
func ParseLimited(r io.Reader, limit int) (*Document, error) { return parse(r, nil, limit) }
