package moqt

import (
	"fmt"
	"io"

	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// UniStream is an incoming unidirectional stream whose first header has been read, so that it can be given to whom it
// is for. What was read beyond the header is kept: use the stream only through UniStream, or through the reader made
// from it, after which UniStream itself is of no use.
type UniStream struct {
	// Type says which of the following holds.
	Type wire.StreamType
	// Subgroup is the header of a SubgroupStream.
	Subgroup wire.SubgroupHeader
	// RequestID is that of the FETCH_HEADER of a FetchStream.
	RequestID uint64

	in    *stream.Buffer
	draft wire.Draft
	opts  ReaderOptions
}

// ReadUniHeader waits for the first header of a stream and reads it. io.EOF means that the stream ended without a byte;
// a *wire.Error that it ended inside the header, that its type is not defined (wire.ErrUnknownType: the session must be
// closed, draft-18 §3.4) or that the header is invalid. To end the wait, stop the stream or set its deadline; after a
// deadline what had come is lost. opts are for the reader to come; its Ended is not told of an error of ReadUniHeader.
func ReadUniHeader(in transport.ReceiveStream, d wire.Draft, opts ReaderOptions) (*UniStream, error) {
	u := &UniStream{in: &stream.Buffer{Stream: in, OnEnd: opts.Ended}, draft: d, opts: opts.withDefaults()}
	for {
		n, err := u.parse()
		if err == nil {
			u.in.Advance(n)
			return u, nil
		}
		if err == wire.ErrTruncated {
			err = u.in.Fill(0)
			if got := len(u.in.Unread()); err == io.EOF && got > 0 {
				err = &wire.Error{Draft: d, Message: u.headerName(), Offset: got, Code: wire.ProtocolViolation,
					Reason: "the stream ended inside the header", Err: wire.ErrTruncated}
			}
		}
		if err != nil {
			u.in.Release()
			return nil, err
		}
	}
}

// parse reads the header from what has come. A control stream's type is left where it is: it is the first message's.
func (u *UniStream) parse() (n int, err error) {
	b := u.in.Unread()
	if u.Type, n, err = wire.ParseStreamType(b, u.draft); err != nil {
		return 0, err
	}
	switch u.Type {
	case wire.SubgroupStream:
		n, err = wire.ParseSubgroupHeader(b, u.draft, &u.Subgroup)
	case wire.FetchStream:
		u.RequestID, n, err = wire.ParseFetchHeader(b, u.draft)
	case wire.ControlUniStream:
		n = 0
	}
	return n, err
}

func (u *UniStream) headerName() string {
	switch u.Type {
	case wire.SubgroupStream:
		return "SUBGROUP_HEADER"
	case wire.FetchStream:
		return "FETCH_HEADER"
	}
	return "unidirectional stream"
}

// Draft is the draft that the stream is read as.
func (u *UniStream) Draft() wire.Draft { return u.draft }

// StreamID is the QUIC stream id.
func (u *UniStream) StreamID() uint64 { return u.in.Stream.StreamID() }

// Stop asks the peer with STOP_SENDING to stop. Safe for concurrent use.
func (u *UniStream) Stop(code uint64) { u.in.Stop(code) }

// Read reads what follows the header of a padding stream, and a control stream from its first byte: the type of its
// first message. Not for the other types.
func (u *UniStream) Read(p []byte) (int, error) {
	n, err := u.in.Read(p, 0)
	if u.in.Err != nil && len(u.in.Unread()) == 0 {
		u.in.End(u.in.Err)
	}
	return n, err
}

func (u *UniStream) payload() PayloadReader {
	return PayloadReader{core: stream.Reader{In: u.in, Draft: u.draft}, opts: u.opts}
}

func (u *UniStream) not(want string) error {
	return fmt.Errorf("stream %d is not %s", u.StreamID(), want)
}
