package peers

import (
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestOurClientAgainstAiomoqtRelay: every case against aiomoqt's relay.
func TestOurClientAgainstAiomoqtRelay(t *testing.T) {
	checkRelay(t, startAiomoqtRelay(t), &aiomoqtRelay)
}

var aiomoqtRelay = table{drafts: []wire.Draft{22, 20, 18, 16, 14}, exceptions: []exception{
	{"token-alias token-alias-twice", "", "not-applicable", "the relay stores",
		"It says MAX_AUTH_TOKEN_CACHE_SIZE 0 by leaving it out."},

	{"object-10-mb", "", "fail data", "0 of 1 objects came, {0, 0} is missing",
		"It stalls on an object that is larger than its buffer of a stream, 1 MiB: a SUBGROUP_HEADER and no more, " +
			"nor a reset."},
	{"end-of-track", "", "fail data", "{1, 3} with status End of Group",
		"It turns the status End of Track into End of Group (draft-18 §9.7: fields are not modified)."},
	{"datagram-status", "14", "fail data", "none of which says where a group ends",
		"It does not forward datagrams with a status in 14, and does from 16 on."},
	{"two-publishers", "", "fail request", "expected SUBSCRIBE at publisher-1 too",
		"It accepts a second publisher of a namespace and asks the newest alone (draft-18 §9.5: all matching " +
			"publishers)."},
	{"track-status", "14", "fail request", "PUBLISH_NAMESPACE_OK (draft-14)",
		"It answers TRACK_STATUS with type 0x7, which is REQUEST_OK from 15 on and PUBLISH_NAMESPACE_OK in 14 " +
			"(draft-14 §9.21: 0xE)."},
	{"track-status-unknown", "14", "fail request", "SUBSCRIBE_ERROR (draft-14)",
		"It answers TRACK_STATUS with type 0x5, which is REQUEST_ERROR from 15 on and SUBSCRIBE_ERROR in 14 " +
			"(draft-14 §9.22: 0xF)."},
	{"request-id-limit", "14", "fail request", "SUBSCRIBE_ERROR (draft-14)",
		"It answers TRACK_STATUS with type 0x5, which is SUBSCRIBE_ERROR in 14 (draft-14 §9.22: 0xF)."},
	{"join-unknown-request", "14", "fail request", "PUBLISH_NAMESPACE_OK (draft-14)",
		"It answers TRACK_STATUS with type 0x7, which is PUBLISH_NAMESPACE_OK in 14 (draft-14 §9.21: 0xE)."},
	{"namespace-overlap", "14", "fail request", "NAMESPACE_PREFIX_OVERLAP, received",
		"It accepts SUBSCRIBE_NAMESPACE with an overlapping prefix in 14 (draft-14 §9.28), and does not from 16 on."},
	{"update-range", "14", "todo", "unexpected {", "It does not heed the range in SUBSCRIBE_UPDATE in 14 (draft-14 " +
		"§9.10 puts up with late ones), and does from 16 on."},
	{"subscribe-tracks-paused", "18", "fail request", "received PUBLISH with Forward State 1",
		"It ignores FORWARD 0 in SUBSCRIBE_TRACKS (draft-18 §10.19)."},
	{"subscribe-tracks-paused", "20 22", "fail data", "expected no objects with Forward State 0",
		"Its PUBLISH says Forward State 0, and objects come when another subscriber of the track wants them " +
			"(draft-22 §3.6.2)."},
	{"filter-past", "20 22", "todo", `INVALID_RANGE "end group already published"`,
		"It refuses a range that is over, as up to 19; draft-22 §3.3.1 says that such a filter is always valid."},

	{"late-namespace", "", "fail request", "expected SUBSCRIBE at publisher-2 too",
		"It does not ask a publisher that comes late for the tracks that have subscribers (draft-18 §9.5)."},
	{"late-publish", "", "fail request", "received a subscription with Forward State 0",
		"It accepts the PUBLISH of a track that has subscribers with Forward State 0 (draft-18 §9.5: 1)."},
	{"namespace-lost", "16-22", "fail request", "NAMESPACE_DONE without an earlier NAMESPACE",
		"It sends NAMESPACE_DONE twice when a publisher's session is gone (draft-18 §10.18: behind a NAMESPACE)."},
	{"tracks-cancelled", "14", "fail request", "PUBLISH_OK for PUBLISH, received nothing for",
		"It does not answer a publisher's PUBLISH once a request for tracks was cancelled in 14 (draft-14 §5.1)."},
	{"own-tracks", "18-22", "todo", "PUBLISH of the session's own track",
		"It sends a session PUBLISH for its own tracks (draft-18 §6.1 leaves them out)."},
	{"forward-mid-subgroup", "", "fail data", "expected a new stream for object {0,3}",
		"It goes on on the same stream behind an object that a pause has left out (draft-18 §11.4.3: reset)."},
	{"name-bytes", "", "fail request", `"track does not exist"`,
		"It does not find a track whose name is no UTF-8 (draft-18 §2.4.1: names are bytes)."},
	{"fetch-upstream-fails", "", "fail data", "received 1 of 5 objects and FIN",
		"It ends a FETCH with FIN when its publisher's stream is reset (draft-18 §10.12.3)."},
	{"cache-duration", "14-22", "fail data", "received 5 of 5 objects, and no FETCH at the publisher",
		"It does not heed MAX_CACHE_DURATION (draft-18 §12.3)."},
	{"new-group-subscribe", "16-22", "fail request", "expected NEW_GROUP_REQUEST 0 at the publisher",
		"It does not pass on the NEW_GROUP_REQUEST of a SUBSCRIBE (draft-18 §10.2.13)."},
	{"every-request", "14", "fail request", "SUBSCRIBE_ERROR (draft-14)",
		"Its SUBSCRIBE_ERROR on draft 14 has bytes behind the Reason Phrase (draft-14 §9.9)."},
	{"fetch-datagrams", "16-22", "fail data", "sent as a datagram though published in a subgroup",
		"Its FETCH calls objects of a subgroup datagrams (draft-18 §11.4.4)."},
	{"fetch-fill-timeout-zero", "18-22", "fail data", "received an object that the relay did not have",
		"It waits for upstream objects though FILL_TIMEOUT is 0 (draft-18 §10.2.5)."},
	{"new-group-request", "16-22", "fail request", "expected NEW_GROUP_REQUEST 1 at the publisher",
		"It does not pass NEW_GROUP_REQUEST on (draft-18 §10.2.13)."},
	{"two-subscriptions", "20 22", "fail request", `NOT_SUPPORTED "track already subscribed in this session"`,
		"It refuses a session's second subscription to a track, as up to 18 (draft-20 §5.1 allows them)."},
	{"rendezvous-publish", "18-22", "fail request", "expected no PUBLISH of a track",
		"It sends PUBLISH to a session whose SUBSCRIBE waits for the track, too (draft-18 §9.5)."},
	{"prefix-update", "18-22", "fail request", "REQUEST_OK for REQUEST_UPDATE|received nothing new for",
		"It closes the session at an update of a prefix, or accepts it and tells nothing (draft-18 §10.9.2)."},
	{"unsubscribe-resets", "", "fail data", "received a stream that is still open after",
		"It leaves the streams of a subscription open when its subscriber leaves (draft-18 §5.1.1: reset)."},
	{"fetch-cancel-upstream malformed-track-fetch", "", "skip",
		"sends nothing before its publisher has sent everything",
		"It takes in all of a FETCH from its publisher before it answers."},
	{"fill-cancel", "20 22", "fail data|skip",
		"sends nothing before its publisher has sent everything|0 bytes more, and FIN|still open after",
		"It ends the fill of a subscription that is cancelled with FIN, or not at all (draft-22 §3.4.1: reset), " +
			"unless it takes in all of a FETCH before it begins one."},
	{"fetch-fill-timeout", "18-22", "todo", "received no answer for 3000 ms",
		"It waits for its publisher though FILL_TIMEOUT is over (draft-18 §10.2.5: SHOULD)."},
	{"gone-objects", "18-22", "todo", "received {0, 2}, which does not exist",
		"It forwards an object that a Prior Object ID Gap has said does not exist (draft-18 §9.1: SHOULD)."},
	{"include-properties", "20 22", "todo", "received SUBSCRIBE_OK with 1 track properties",
		"It ignores INCLUDE_PROPERTIES (draft-22 §9.20.21: SHOULD)."},
	{"object-in-pieces", "", "todo", "received 0 of 100000 bytes",
		"It forwards an object only once it has all of it (draft-18 §5.1: SHOULD)."},
	{"deduplicated", "", "skip", "the relay does not ask publisher-",
		"It asks the newest of two publishers alone, as in two-publishers."},
	{"subscriber-priorities subscriber-priority-update", "", "pass|todo|skip|not-applicable",
		"the track with Subscriber Priority 10 before|did not take everything in",
		"It sends objects in the order of arrival, whatever the Subscriber Priority (draft-18 §7.2: SHOULD)."},
	{"group-order", "", "pass|todo|skip|not-applicable", "the newest group before|did not take everything in",
		"It sends groups in the order of arrival, whatever Group Order is asked for (draft-18 §7.2: SHOULD)."},
	{"subgroup-delivery-timeout", "18-22", "todo|skip|not-applicable", "every object|did not take everything in",
		"It does not heed SUBGROUP_DELIVERY_TIMEOUT (draft-18 §8)."},

	// What a fill brings ends where its cache ends at that moment, which may lie before the Largest Object that its
	// SUBSCRIBE_OK has named: then what lies between comes by neither way (draft-22 §3.4).
	{"join-live", "20 22", "pass|fail data", "objects: missing {",
		"It loses objects at the seam when they arrive while it answers."},

	// Whether it takes in 7.5 MB beside a subscriber that takes nothing depends on how fast it gets to it. It opens the
	// groups' streams in the order of arrival, and its QUIC stack serves them in turns: now and then chance has the
	// group with priority 10 overtake the others.
	{"priorities", "", "pass|todo|skip|not-applicable", "the group with priority 10 before|did not take everything in",
		"It sends groups in the order of arrival (draft-18 §9.7: SHOULD, by priority)."},
	{"delivery-timeout", "", "todo|skip|not-applicable", "every object|did not take everything in",
		"It does not heed OBJECT_DELIVERY_TIMEOUT (draft-18 §8)."},
}}
