package wire

// encodeControlLine appends the message that a line describes. GOAWAY of 18 has two layouts: the line's fields tell which.
func encodeControlLine(b []byte, d Draft, line Line) ([]byte, error) {
	stream := RequestStream
	if _, ok := line.Fields.Get("request_id"); ok {
		stream = ControlStream
	}
	m, err := MessageFromFields(d, line.Type, line.Fields, stream)
	if err != nil {
		return b, err
	}
	return AppendMessage(b, d, m, stream)
}
