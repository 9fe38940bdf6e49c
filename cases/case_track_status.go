package cases

import (
	"context"
	"fmt"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// statusCase is a case of TRACK_STATUS.
func statusCase(id, title string, roles []string, faults []Fault, run func(ctx context.Context, e *Env) error,
	what ...rules.ID) Case {
	return topicCase(id, title, faults, run, what, "status").among(roles...)
}

var trackStatus = statusCase("track-status", "TRACK_STATUS of a live track tells its Largest Object",
	[]string{"publisher", "subscriber", "enquirer"}, []Fault{
		requestFault("track-status-silent", "nothing for 5000 ms after TRACK_STATUS"),
		requestFault("track-status-wrong", "Largest Object {3,4}"),
	},
	func(ctx context.Context, e *Env) error {
		p := e.History(ctx)
		s := e.Dial(ctx, "enquirer")
		step, cancel := e.Step(ctx)
		defer cancel()
		ok, err := s.TrackStatus(step, &wire.TrackStatus{TrackNamespace: p.Namespace, TrackName: p.Name,
			Parameters: e.Parameters()})
		want := wire.Location{Group: 2, Object: 4}
		expected := fmt.Sprintf("%s for TRACK_STATUS with Largest Object %s", s.OKName(wire.KindTrackStatus), want)
		if err != nil {
			s.Refused(step, err, expected, p)
		}
		largest, has := ok.Parameters.Largest()
		switch {
		case !has:
			e.Fail(transport.LayerRequest, expected, "an answer that says that nothing was published")
		case largest != want:
			e.Fail(transport.LayerRequest, expected, fmt.Sprintf("Largest Object %s", largest))
		}
		return nil
	}, rules.TrackStatus, rules.LargestObject)

var trackStatusUnknown = statusCase("track-status-unknown", "TRACK_STATUS of a track that does not exist is refused",
	[]string{"enquirer"}, []Fault{
		requestFault("track-status-silent", "nothing for 5000 ms after TRACK_STATUS"),
	},
	func(ctx context.Context, e *Env) error {
		s := e.Dial(ctx, "enquirer")
		step, cancel := e.Step(ctx)
		defer cancel()
		_, err := s.TrackStatus(step, &wire.TrackStatus{TrackNamespace: e.Namespace(), TrackName: e.TrackName(),
			Parameters: e.Parameters()})
		s.WantUnknown(step, err, wire.KindTrackStatus, s.OKName(wire.KindTrackStatus)+
			" for a track that does not exist")
		s.Healthy(ctx, transport.LayerRequest)
		return nil
	}, rules.TrackStatus, rules.UnknownTrack)
