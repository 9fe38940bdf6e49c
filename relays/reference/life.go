package reference

// life is the state of one subscription of the relay to a publisher. The steps are a table without side effects: the
// track takes a step under its lock, and then does what the new state requires.
type life uint8

const (
	// asking: our SUBSCRIBE is not answered yet, or the PUBLISH is being accepted.
	asking life = iota
	// live: objects come.
	live
	// leaving: we have cancelled it, and the publisher may not know yet. Another SUBSCRIBE now would be the session's
	// second one to the track (draft-16 §5.1: DUPLICATE_SUBSCRIPTION; up to 15 the session is closed).
	leaving
	// gone: the publisher has ended it, or must know by now that we have. It can be asked again.
	gone
)

func (l life) String() string { return [...]string{"asking", "live", "leaving", "gone"}[l] }

// lifeEvent is what happens to a subscription.
type lifeEvent uint8

const (
	accepted   lifeEvent = iota // by the publisher; a PUBLISH by us
	superseded                  // accepted, but the session brings the track already
	refused
	unanswered // for too long: we have cancelled it
	dropped    // nobody needs it any more, or its track is malformed: we cancel it
	ended      // by the publisher, or with its session
	left       // the publisher must know that we have cancelled it
)

func (e lifeEvent) String() string {
	return [...]string{"accepted", "superseded", "refused", "unanswered", "dropped", "ended", "left"}[e]
}

// lives are the steps. An event that is not in the table changes nothing.
var lives = map[life]map[lifeEvent]life{
	asking:  {accepted: live, superseded: leaving, refused: gone, unanswered: leaving, ended: gone},
	live:    {dropped: leaving, ended: gone},
	leaving: {left: gone},
	gone:    {},
}

// next is the state after an event; ok is false where the event changes nothing.
func (l life) next(e lifeEvent) (_ life, ok bool) {
	to, ok := lives[l][e]
	if !ok {
		return l, false
	}
	return to, true
}
