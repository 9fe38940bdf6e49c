package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/moq"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Names says which namespace or track a command is about, and where its lines go.
type Names struct {
	Connection
	// Namespace is the namespace, or the prefix of those to watch.
	Namespace moq.Namespace
	// Track is that of Status.
	Track string
	// Out gets a line for each event, as text or JSON.
	Out  io.Writer
	JSON bool

	mu sync.Mutex
}

// event is a line of Watch, Announce and Status.
type event struct {
	Event     string `json:"event"`
	Namespace string `json:"namespace,omitempty"`
	Track     string `json:"track,omitempty"`
	Detail    string `json:"detail,omitempty"`
}

// tell writes an event: its sign and what it is about.
func (n *Names) tell(e event) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.JSON {
		b, err := json.Marshal(e)
		if err != nil {
			return err
		}
		_, err = n.Out.Write(append(b, '\n'))
		return err
	}
	text := e.Event
	for _, part := range []string{e.Namespace, e.Track, e.Detail} {
		if part != "" {
			text += " " + part
		}
	}
	_, err := fmt.Fprintln(n.Out, text)
	return err
}

// Announce announces a namespace and says what is asked for under it, until ctx ends.
func (n *Names) Announce(ctx context.Context) error {
	unwritten := make(chan error, 1)
	n.Options.Handler = func(r *moq.Request) {
		e := event{Event: "request", Detail: r.Kind().String()}
		if ns := r.TrackNamespace(); ns != nil {
			e.Namespace = wire.NamespaceText(ns)
		}
		if name := r.TrackName(); name != "" {
			e.Track = wire.NameText(r.TrackNamespace(), name)
			e.Namespace = ""
		}
		if err := n.tell(e); err != nil {
			select {
			case unwritten <- err:
			default:
			}
		}
		_ = r.Reject(r.Context(), moqt.RejectDoesNotExist, "nothing is published here")
	}
	return n.Keep(ctx, func(ctx context.Context, s *moq.Session) error {
		answered, cancel := asking(ctx)
		defer cancel()
		a, err := s.PublishNamespace(answered, n.Namespace, n.parameters())
		if err != nil {
			return err
		}
		if err := n.tell(event{Event: "announced", Namespace: wire.NamespaceText(n.Namespace)}); err != nil {
			return err
		}
		select {
		case err := <-unwritten:
			return err
		case <-a.Context().Done():
			return fmt.Errorf("the namespace is not announced any more: %w", context.Cause(a.Context()))
		case <-ctx.Done():
			a.Withdraw()
			return context.Cause(ctx)
		}
	})
}

// Watch says which namespaces and tracks under the prefix come and go, until ctx ends.
func (n *Names) Watch(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	n.Options.Handler = func(r *moq.Request) {
		if r.Kind() != wire.KindPublish {
			if r.Kind() == wire.KindPublishNamespace { // 14 and 15, of a relay that tells more than was asked for
				_ = r.Accept(r.Context(), nil)
				<-r.Context().Done()
				return
			}
			_ = r.Reject(r.Context(), moqt.RejectNotSupported, "this end only watches")
			return
		}
		name := wire.NameText(r.TrackNamespace(), r.TrackName())
		if err := n.tell(event{Event: "+track", Track: name}); err != nil {
			cancel(err)
		}
		ok := &wire.RequestOK{}
		ok.Parameters.SetUint(wire.ParamForward, 0) // no objects
		if sub, err := r.AcceptPublish(r.Context(), ok); err == nil {
			<-sub.Context().Done()
		}
		if r.Session().Context().Err() != nil {
			return
		}
		if err := n.tell(event{Event: "-track", Track: name}); err != nil {
			cancel(err)
		}
	}
	return n.Keep(ctx, n.watch)
}

func (n *Names) watch(ctx context.Context, s *moq.Session) error {
	answered, cancel := asking(ctx)
	defer cancel()
	m := &wire.SubscribeNamespace{Prefix: n.Namespace, Options: wire.SubscribeNamespaces, Parameters: n.parameters()}
	d := s.Draft()
	if d == wire.Draft16 || d == wire.Draft17 {
		m.Options = wire.SubscribeBoth
	}
	names, err := s.StartSubscribeNamespace(answered, m)
	if err != nil {
		return err
	}
	defer names.Close()
	if err := names.Ready(answered); err != nil {
		return err
	}
	if d >= wire.Draft18 {
		tracks, err := s.SubscribeTracks(answered, n.Namespace, n.parameters())
		var refused *moq.RequestError
		switch {
		case errors.As(err, &refused):
			n.Say("%v: tracks are not shown", err)
		case err != nil:
			return err
		default:
			defer tracks.Close()
		}
	}
	n.Say("watching %s", orAll(wire.NamespaceText(n.Namespace)))
	for {
		e, err := names.Next(ctx)
		if err != nil {
			if errors.Is(err, io.EOF) {
				return errors.New("the relay has ended the subscription to namespaces")
			}
			return err
		}
		what := "+namespace"
		if e.Done {
			what = "-namespace"
		}
		if err := n.tell(event{Event: what, Namespace: wire.NamespaceText(e.Namespace)}); err != nil {
			return err
		}
	}
}

func orAll(prefix string) string {
	if prefix == "" {
		return "every namespace"
	}
	return prefix
}

// Status asks for the status of a track.
func (n *Names) Status(ctx context.Context) error {
	return n.Keep(ctx, func(ctx context.Context, s *moq.Session) error {
		ctx, cancel := asking(ctx)
		defer cancel()
		ok, err := s.TrackStatus(ctx, &wire.TrackStatus{TrackNamespace: n.Namespace, TrackName: n.Track,
			Parameters: n.parameters()})
		if err != nil {
			return err
		}
		e := event{Event: "status", Track: wire.NameText(n.Namespace, n.Track), Detail: "no object yet"}
		if largest, has := ok.Parameters.Largest(); has {
			e.Detail = "largest " + largest.String()
		}
		return n.tell(e)
	})
}
