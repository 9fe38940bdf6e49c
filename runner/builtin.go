package runner

import (
	"context"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Builtin is the client that runs package cases in this process.
func Builtin(info ClientInfo, cfg cases.Config) Client { return &builtin{info: info, cfg: cfg} }

type builtin struct {
	info ClientInfo
	cfg  cases.Config
}

func (b *builtin) Info() ClientInfo { return b.info }

func (b *builtin) Run(ctx context.Context, c cases.Case, watch func(Session)) Result {
	cfg := b.cfg
	cfg.OnSession = func(s cases.SessionInfo) { watch(session(s)) }
	return result(cases.Run(ctx, c, cfg))
}

// aliveTimeout is how long one check may take whether the relay answers.
const aliveTimeout = time.Second

// pulseRole is the role of a connection that only checks the relay. It belongs to no case, so it has no log.
const pulseRole = "pulse"

// Alive implements Pulse. It makes a connection and sends no MoQT message.
func (b *builtin) Alive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, aliveTimeout)
	defer cancel()
	drafts := b.cfg.Drafts
	if len(drafts) == 0 {
		drafts = wire.Drafts()
	}
	conn, err := b.cfg.Dial(ctx, pulseRole, drafts)
	if err != nil {
		return err
	}
	conn.CloseWithError(uint64(wire.NoError), "")
	return nil
}

func session(s cases.SessionInfo) Session {
	return Session{
		Role: s.Role, Version: s.Version, Transport: string(s.Transport), ALPN: s.ALPN,
		WebTransportProtocol: s.WebTransportProtocol,
		ConnectionID:         s.ConnectionID, PeerImplementation: s.Implementation, Established: s.Ready,
		QLOG: s.QLOG,
	}
}

// result translates a case's result. Here a failure that only breaks a SHOULD has a status of its own.
func result(r cases.Result) Result {
	out := Result{
		Case: r.Case, Status: Status(r.Status), Level: string(r.Level), Sections: r.Sections, Rules: r.Rules,
		Layer:   r.Layer,
		Message: r.Message, Expected: r.Expected, Received: r.Received, Reason: r.Reason, TooSlow: r.TooSlow,
		Lost:     r.Lost,
		Duration: r.Duration, Notes: r.Notes, Tolerated: r.Tolerated, Transcript: r.Transcript,
	}
	if r.Status == cases.Fail && r.Todo != "" {
		out.Status, out.Reason = Todo, r.Todo
	}
	for _, s := range r.Sessions {
		out.Sessions = append(out.Sessions, session(s))
	}
	return out
}
