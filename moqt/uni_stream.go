package moqt

import (
	"fmt"
	"io"

	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// UniStream is an incoming unidirectional stream whose header has been read, so that the request that it belongs to is
// known. It may have read beyond the header, so use the stream only through UniStream, or through the reader made from
// it. Do not use UniStream itself after that.
type UniStream struct {
	// Type is the type of the stream.
	Type wire.StreamType
	// Subgroup is the header of a SubgroupStream.
	Subgroup wire.SubgroupHeader
	// RequestID is that in the FETCH_HEADER of a FetchStream.
	RequestID uint64

	in    *stream.Buffer
	draft wire.Draft
	opts  ReaderOptions
}

// ReadUniHeader waits for the header of a stream and reads it. io.EOF means that the stream ended without a byte. A
// *wire.Error means that it ended inside the header, that the header is invalid, or that the type is not defined; the
// last wraps wire.ErrUnknownType, and the session must be closed (draft-18 §3.4). To end the wait, stop the stream or
// set its deadline; the bytes read so far are lost then. opts are those of the reader made from the UniStream. An error
// of ReadUniHeader does not call opts.Ended.
func ReadUniHeader(in transport.ReceiveStream, d wire.Draft, opts ReaderOptions) (*UniStream, error) {
	u := newUniStream(in, d, opts)
	if err := u.readHeader(); err != nil {
		return nil, err
	}
	return u, nil
}

func newUniStream(in transport.ReceiveStream, d wire.Draft, opts ReaderOptions) *UniStream {
	return &UniStream{in: &stream.Buffer{Stream: in, OnEnd: opts.Ended, Room: opts.room}, draft: d,
		opts: opts.withDefaults()}
}

// readHeader reads the header.
func (u *UniStream) readHeader() error {
	for {
		n, err := u.parse()
		if err == nil {
			u.in.Advance(n)
			return nil
		}
		if err == wire.ErrTruncated {
			err = u.in.Fill(0)
			if got := len(u.in.Unread()); err == io.EOF && got > 0 {
				err = &wire.Error{Draft: u.draft, Message: u.headerName(), Offset: got, Code: wire.ProtocolViolation,
					Reason: "the stream ended inside the header", Err: wire.ErrTruncated}
			}
		}
		if err != nil {
			u.in.Release()
			return err
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

// Stop sends STOP_SENDING with a code of the draft's stream reset codes. Safe for concurrent use.
func (u *UniStream) Stop(code uint64) { u.in.Stop(code) }

// Read reads a padding stream after its header, or a control stream from its first byte, the type of the first message.
// Do not call it for the other types.
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
