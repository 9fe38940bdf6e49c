package moqt

import (
	"context"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TracksSubscription asks for the tracks under a prefix. The peer's PUBLISH messages come as incoming requests. It is
// SUBSCRIBE_TRACKS from 18 on, SUBSCRIBE_NAMESPACE with option PUBLISH in 16 and 17, and SUBSCRIBE_NAMESPACE in 14 and
// 15, where the peer announces namespaces too. All methods are safe for concurrent use.
type TracksSubscription struct{ r *Request }

// StartSubscribeTracks sends the request and does not wait for the answer; see Start for the rest.
func (s *Session) StartSubscribeTracks(ctx context.Context, prefix wire.TrackNamespace,
	ps wire.Parameters) (*TracksSubscription, error) {
	var m wire.Message = &wire.SubscribeTracks{Prefix: prefix, Parameters: ps}
	if s.draft <= wire.Draft17 {
		m = &wire.SubscribeNamespace{Prefix: prefix, Options: wire.SubscribePublishes, Parameters: ps}
	}
	r, err := s.Start(ctx, m)
	if err != nil {
		return nil, err
	}
	return &TracksSubscription{r}, nil
}

// SubscribeTracks sends the request and waits for its OK. The error is that of Start or of Request.Response. When the
// context ends before the answer, the request is cancelled.
func (s *Session) SubscribeTracks(ctx context.Context, prefix wire.TrackNamespace,
	ps wire.Parameters) (*TracksSubscription, error) {
	t, err := s.StartSubscribeTracks(ctx, prefix, ps)
	if err != nil {
		return nil, err
	}
	if err := t.Ready(ctx); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// Ready waits for the OK. See Request.Response for the error.
func (t *TracksSubscription) Ready(ctx context.Context) error {
	_, err := t.r.Response(ctx)
	return err
}

// Request is the request. Its Update changes the prefix (18 and later).
func (t *TracksSubscription) Request() *Request { return t.r }

// NextSkipped waits for the next PUBLISH_SKIPPED (PUBLISH_BLOCKED in 17 and 18), which names a track under the prefix
// for which no PUBLISH comes. Its suffix is relative to the prefix. Errors are those of Request.Next.
func (t *TracksSubscription) NextSkipped(ctx context.Context) (*wire.PublishSkipped, error) {
	for {
		m, err := t.r.Next(ctx)
		if err != nil {
			return nil, err
		}
		if skipped, ok := m.(*wire.PublishSkipped); ok {
			return skipped, nil
		}
	}
}

// Close ends this request; subscriptions to tracks under the prefix go on. See NamespaceSubscription.Close.
func (t *TracksSubscription) Close() { t.r.Cancel(ResetCancelled) }

// TrackStatus asks for the status of a track and waits for the answer. The answer's parameters have LARGEST_OBJECT, its
// Properties those of the track (18 and later). The error is that of Start or of Request.Response. When the context
// ends before the answer, the request is cancelled.
func (s *Session) TrackStatus(ctx context.Context, m *wire.TrackStatus) (*wire.RequestOK, error) {
	r, err := s.Start(ctx, m)
	if err != nil {
		return nil, err
	}
	answer, err := r.Response(ctx)
	if err != nil {
		r.Cancel(ResetCancelled)
		return nil, err
	}
	return answer.(*wire.RequestOK), nil
}
