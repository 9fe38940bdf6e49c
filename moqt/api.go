package moqt

import (
	"context"
	"errors"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

var errPending = errors.New("moqt: the session is being built")

type Session struct {
	cfg   Config
	draft wire.Draft
}

func Client(ctx context.Context, conn transport.Conn, cfg Config) (*Session, error) {
	return nil, errPending
}
func Server(ctx context.Context, conn transport.Conn, cfg Config) (*Session, error) {
	return nil, errPending
}
func (s *Session) Draft() wire.Draft                                 { return s.draft }
func (s *Session) Conn() transport.Conn                              { return nil }
func (s *Session) Side() wire.Side                                   { return 0 }
func (s *Session) PeerSetup() *wire.Setup                            { return nil }
func (s *Session) PeerImplementation() string                        { return "" }
func (s *Session) Path() string                                      { return "" }
func (s *Session) Authority() string                                 { return "" }
func (s *Session) Context() context.Context                          { return nil }
func (s *Session) Close(code wire.SessionError, reason string) error { return errPending }
func (s *Session) Abort(code wire.SessionError, reason string)       {}
func (s *Session) Goaway(ctx context.Context, g *wire.Goaway) error  { return errPending }
func (s *Session) PeerGoaway() <-chan struct{}                       { return nil }
func (s *Session) LastGoaway() *wire.Goaway                          { return nil }
func (s *Session) AuthTokens() []wire.Token                          { return nil }
func (s *Session) ExpireAuthToken(alias uint64)                      {}
func (s *Session) Start(ctx context.Context, m wire.Message) (*Request, error) {
	return nil, errPending
}
func (s *Session) AcceptRequest(ctx context.Context) (*Request, error) { return nil, errPending }
func (s *Session) SendRaw(ctx context.Context, m wire.Message) error   { return errPending }

type Request struct{}

func (r *Request) ID() uint64                                         { return 0 }
func (r *Request) Kind() wire.Kind                                    { return 0 }
func (r *Request) Message() wire.Message                              { return nil }
func (r *Request) Incoming() bool                                     { return false }
func (r *Request) Session() *Session                                  { return nil }
func (r *Request) Context() context.Context                           { return nil }
func (r *Request) Tokens() []wire.Token                               { return nil }
func (r *Request) Parameters() wire.Parameters                        { return nil }
func (r *Request) TrackNamespace() wire.TrackNamespace                { return nil }
func (r *Request) TrackName() string                                  { return "" }
func (r *Request) Response(ctx context.Context) (wire.Message, error) { return nil, errPending }
func (r *Request) Next(ctx context.Context) (wire.Message, error)     { return nil, errPending }
func (r *Request) Send(ctx context.Context, m wire.Message) error     { return errPending }
func (r *Request) Accept(ctx context.Context, ok wire.Message) error  { return errPending }
func (r *Request) Reject(ctx context.Context, code RejectCode, reason string) error {
	return errPending
}
func (r *Request) RejectWith(ctx context.Context, m *wire.RequestError) error { return errPending }
func (r *Request) Update(ctx context.Context, ps wire.Parameters) (*wire.RequestOK, error) {
	return nil, errPending
}
func (r *Request) AcceptUpdate(ctx context.Context, u *wire.RequestUpdate, ok *wire.RequestOK) error {
	return errPending
}
func (r *Request) RejectUpdate(ctx context.Context, u *wire.RequestUpdate, code RejectCode, reason string) error {
	return errPending
}
func (r *Request) Cancel(code ResetCode) {}
func (r *Request) CloseSend() error      { return errPending }

// subscriptions
type Subscription struct{}

func (s *Session) StartSubscribe(ctx context.Context, m *wire.Subscribe) (*Subscription, error) {
	return nil, errPending
}
func (s *Session) Subscribe(ctx context.Context, m *wire.Subscribe) (*Subscription, error) {
	return nil, errPending
}
func (r *Request) AcceptPublish(ctx context.Context, ok *wire.RequestOK) (*Subscription, error) {
	return nil, errPending
}
func (sub *Subscription) Ready(ctx context.Context) error           { return errPending }
func (sub *Subscription) OK() *wire.SubscribeOK                     { return nil }
func (sub *Subscription) Request() *Request                         { return nil }
func (sub *Subscription) TrackAlias() uint64                        { return 0 }
func (sub *Subscription) Largest() (wire.Location, bool)            { return wire.Location{}, false }
func (sub *Subscription) Properties() wire.Properties               { return nil }
func (sub *Subscription) Parameters() wire.Parameters               { return nil }
func (sub *Subscription) Next(ctx context.Context) (*Object, error) { return nil, errPending }
func (sub *Subscription) AcceptSubgroup(ctx context.Context) (*SubgroupReader, error) {
	return nil, errPending
}
func (sub *Subscription) AcceptDatagram(ctx context.Context) (*Object, error) { return nil, errPending }
func (sub *Subscription) NextNotify(ctx context.Context) (wire.Parameters, error) {
	return nil, errPending
}
func (sub *Subscription) Done(ctx context.Context) (*wire.PublishDone, error) { return nil, errPending }
func (sub *Subscription) StreamsSeen() uint64                                 { return 0 }
func (sub *Subscription) Dropped() uint64                                     { return 0 }
func (sub *Subscription) Update(ctx context.Context, ps wire.Parameters) (*wire.RequestOK, error) {
	return nil, errPending
}
func (sub *Subscription) UpdateFill(ctx context.Context, ps wire.Parameters) (*Fetch, error) {
	return nil, errPending
}
func (sub *Subscription) Fill() *Fetch             { return nil }
func (sub *Subscription) Unsubscribe()             {}
func (sub *Subscription) Context() context.Context { return nil }

// publications
type Publication struct{}
type PublicationOption func(*publicationOptions)
type publicationOptions struct{}

func ManualUpdates() PublicationOption              { return nil }
func WithTrackAlias(alias uint64) PublicationOption { return nil }

type Update struct {
	Message *wire.RequestUpdate
}

func (u *Update) Parameters() wire.Parameters                                      { return nil }
func (u *Update) Accept(ctx context.Context, ok *wire.RequestOK) error             { return errPending }
func (u *Update) Reject(ctx context.Context, code RejectCode, reason string) error { return errPending }

func (s *Session) StartPublish(ctx context.Context, m *wire.Publish, opts ...PublicationOption) (*Publication, error) {
	return nil, errPending
}
func (s *Session) Publish(ctx context.Context, m *wire.Publish, opts ...PublicationOption) (*Publication, error) {
	return nil, errPending
}
func (r *Request) AcceptSubscribe(ctx context.Context, ok *wire.SubscribeOK, opts ...PublicationOption) (*Publication, error) {
	return nil, errPending
}
func (p *Publication) Ready(ctx context.Context) error       { return errPending }
func (p *Publication) Request() *Request                     { return nil }
func (p *Publication) Draft() wire.Draft                     { return 0 }
func (p *Publication) TrackAlias() uint64                    { return 0 }
func (p *Publication) Forward() bool                         { return false }
func (p *Publication) WaitForward(ctx context.Context) error { return errPending }
func (p *Publication) Parameters() wire.Parameters           { return nil }
func (p *Publication) OpenSubgroup(ctx context.Context, h wire.SubgroupHeader) (*SubgroupWriter, error) {
	return nil, errPending
}
func (p *Publication) SendDatagram(o *Object) error                         { return errPending }
func (p *Publication) StreamCount() uint64                                  { return 0 }
func (p *Publication) NextUpdate(ctx context.Context) (*Update, error)      { return nil, errPending }
func (p *Publication) Notify(ctx context.Context, ps wire.Parameters) error { return errPending }
func (s *Session) OpenFill(ctx context.Context, requestID uint64) (*FetchWriter, error) {
	return nil, errPending
}
func (p *Publication) Done(ctx context.Context, code DoneCode, reason string) error {
	return errPending
}
func (p *Publication) DoneWith(ctx context.Context, m *wire.PublishDone) error { return errPending }
func (p *Publication) Context() context.Context                                { return nil }

// fetches
type FetchRequest struct {
	TrackNamespace wire.TrackNamespace
	TrackName      string
	Range          wire.LocationFilter
	Parameters     wire.Parameters
}
type Fetch struct{}

func (s *Session) StartFetch(ctx context.Context, f FetchRequest) (*Fetch, error) {
	return nil, errPending
}
func (s *Session) Fetch(ctx context.Context, f FetchRequest) (*Fetch, error) { return nil, errPending }
func (f *Fetch) Ready(ctx context.Context) error                             { return errPending }
func (f *Fetch) Request() *Request                                           { return nil }
func (f *Fetch) OK() *wire.FetchOK                                           { return nil }
func (f *Fetch) End() (wire.Location, bool)                                  { return wire.Location{}, false }
func (f *Fetch) Next(ctx context.Context) (*Object, error)                   { return nil, errPending }
func (f *Fetch) Accept(ctx context.Context) (*FetchReader, error)            { return nil, errPending }
func (f *Fetch) Cancel()                                                     {}

// FetchAsked is what an incoming FETCH asks for, in the newest shape.
type FetchAsked struct {
	TrackNamespace wire.TrackNamespace
	TrackName      string
	Range          wire.LocationFilter
	Joining        *Joining
	Descending     bool
}
type Joining struct {
	RequestID uint64
	Target    *Request
	Relative  bool
	Start     uint64
}

func (r *Request) FetchRange() (FetchAsked, error) { return FetchAsked{}, errPending }
func (r *Request) AcceptFetch(ctx context.Context, ok *wire.FetchOK) (*FetchWriter, error) {
	return nil, errPending
}
func (r *Request) OpenFetch(ctx context.Context) (*FetchWriter, error) { return nil, errPending }

// join
type JoinRequest struct {
	TrackNamespace wire.TrackNamespace
	TrackName      string
	GroupsBack     uint64
	Start          *wire.Location
	Parameters     wire.Parameters
	FillParameters wire.Parameters
}
type Joined struct {
	Live *Subscription
	Past *Fetch
}

func (s *Session) StartJoin(ctx context.Context, j JoinRequest) (*Joined, error) {
	return nil, errPending
}
func (s *Session) Join(ctx context.Context, j JoinRequest) (*Joined, error) { return nil, errPending }
func (j *Joined) Ready(ctx context.Context) error                           { return errPending }

// namespaces
type Announcement struct{}

func (s *Session) StartPublishNamespace(ctx context.Context, ns wire.TrackNamespace, ps wire.Parameters) (*Announcement, error) {
	return nil, errPending
}
func (s *Session) PublishNamespace(ctx context.Context, ns wire.TrackNamespace, ps wire.Parameters) (*Announcement, error) {
	return nil, errPending
}
func (a *Announcement) Ready(ctx context.Context) error { return errPending }
func (a *Announcement) Request() *Request               { return nil }
func (a *Announcement) Withdraw()                       {}
func (a *Announcement) Context() context.Context        { return nil }

type NamespaceEvent struct {
	Namespace wire.TrackNamespace
	Done      bool
}
type NamespaceSubscription struct{}

func (s *Session) StartSubscribeNamespace(ctx context.Context, m *wire.SubscribeNamespace) (*NamespaceSubscription, error) {
	return nil, errPending
}
func (s *Session) SubscribeNamespace(ctx context.Context, prefix wire.TrackNamespace, ps wire.Parameters) (*NamespaceSubscription, error) {
	return nil, errPending
}
func (n *NamespaceSubscription) Ready(ctx context.Context) error { return errPending }
func (n *NamespaceSubscription) Request() *Request               { return nil }
func (n *NamespaceSubscription) Next(ctx context.Context) (NamespaceEvent, error) {
	return NamespaceEvent{}, errPending
}
func (n *NamespaceSubscription) Close() {}

type TracksSubscription struct{}

func (s *Session) StartSubscribeTracks(ctx context.Context, prefix wire.TrackNamespace, ps wire.Parameters) (*TracksSubscription, error) {
	return nil, errPending
}
func (s *Session) SubscribeTracks(ctx context.Context, prefix wire.TrackNamespace, ps wire.Parameters) (*TracksSubscription, error) {
	return nil, errPending
}
func (t *TracksSubscription) Ready(ctx context.Context) error { return errPending }
func (t *TracksSubscription) Request() *Request               { return nil }
func (t *TracksSubscription) NextSkipped(ctx context.Context) (*wire.PublishSkipped, error) {
	return nil, errPending
}
func (t *TracksSubscription) Close() {}

func (s *Session) TrackStatus(ctx context.Context, m *wire.TrackStatus) (*wire.RequestOK, error) {
	return nil, errPending
}
