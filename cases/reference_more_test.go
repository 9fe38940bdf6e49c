package cases_test

import "github.com/moqinterop/moq-interop-client/moqt/wire"

// moreFailures are those of the cases in list_more.go.
var moreFailures = map[string]map[string]failure{
	"object-empty": {
		"drop-object":     {layer: "data", piece: "8 of 10 objects: missing {0, 0}"},
		"wrong-object-id": {layer: "data", piece: "8 of 10 objects: missing {0, 0}"},
	},
	"object-1-byte": {
		"drop-object":      {layer: "data", piece: "8 of 10 objects: missing {0, 0}"},
		"wrong-object-id":  {layer: "data", piece: "8 of 10 objects: missing {0, 0}, {1, 0}"},
		"corrupt-payload":  {layer: "data", piece: "payload differs from byte 0"},
		"truncate-payload": {layer: "data", piece: "0 bytes of payload instead of 1"},
	},
	"object-10-kb": {
		"drop-object":      {layer: "data", piece: "8 of 10 objects: missing {0, 0}"},
		"corrupt-payload":  {layer: "data", piece: "payload differs from byte 0"},
		"truncate-payload": {layer: "data", piece: "9999 bytes of payload instead of 10000"},
	},
	"object-1-mb": {
		"large-objects-missing": {layer: "data", piece: "0 of 2 objects: missing {0, 0}"},
		"corrupt-payload":       {layer: "data", piece: "payload differs from byte 0"},
		"truncate-payload":      {layer: "data", piece: "999999 bytes of payload instead of 1000000"},
	},
	"object-10-mb": {
		"large-objects-missing": {layer: "data", piece: "0 of 1 objects: missing {0, 0}"},
		"truncate-payload":      {layer: "data", piece: "9999999 bytes of payload instead of 10000000"},
	},
	"many-short-groups": {
		"drop-group":       {layer: "data", piece: "250 of 500 objects: missing {1, 0}"},
		"drop-object":      {layer: "data", piece: "0 of 500 objects: missing {0, 0}"},
		"duplicate-object": {layer: "data", piece: "more than once {0, 0}"},
	},
	"object-properties": {
		"strip-properties": {layer: "data", piece: "property 0x38 is missing"},
		"drop-object":      {layer: "data", piece: "6 of 8 objects: missing {0, 0}"},
	},
	"immutable-properties": {
		"strip-properties": {layer: "data", piece: "property 0xb is missing"},
	},
	"track-properties": {
		"strip-track-properties": {layer: "request", piece: "SUBSCRIBE_OK with 0 properties and without it"},
	},
	"mandatory-property": {
		"mandatory-property-ignored": {layer: "request", piece: "SUBSCRIBE_OK for a track with the mandatory " +
			"property 0x6a5c"},
		"subscribe-silent": {layer: "request", piece: "nothing for 5000 ms after SUBSCRIBE"},
	},
	"subgroup-fin": {
		"never-fin": {layer: "data", piece: "RESET_STREAM of the peer"},
		"split-streams": {layer: "data", piece: "a stream of group 0, subgroup 0 with 1 objects ({0, 0}) and FIN, a " +
			"stream of group 0, subgroup 1 with 1 objects"},
		"drop-object": {layer: "data", piece: "a stream of group 0, subgroup 0 with 2 objects ({0, 2}"},
	},
	"end-of-group": {
		"end-of-group-missing": {layer: "data", piece: "and FIN, without either"},
		"status-missing":       {layer: "data", piece: "and FIN, without either"},
		"never-fin":            {layer: "data", piece: "RESET_STREAM of the peer"},
	},
	"end-of-track": {
		"status-missing":    {layer: "data", piece: "a stream of group 0, subgroup 0 with 3 objects ({0, 0}"},
		"done-wrong-status": {layer: "request", piece: "PUBLISH_DONE with 0x0 INTERNAL_ERROR", todo: true},
		"done-never":        {layer: "request", piece: "the last message or stream was SUBGROUP_HEADER", todo: true},
	},
	"datagram": {
		"drop-datagrams": {layer: "data", piece: "none of them"},
		"datagrams-as-streams": {layer: "data",
			piece: "a stream of group 0, subgroup 0 with 1 objects ({0, 0}) and FIN"},
		"corrupt-payload": {layer: "data", piece: "payload differs from byte 0"},
		"wrong-priority":  {layer: "data", piece: "priority 101 instead of 100"},
		"wrong-group-id":  {layer: "data", piece: "unexpected {5, 0}"},
	},
	"datagram-properties": {
		"drop-datagrams": {layer: "data", piece: "none of them"},
		"datagrams-as-streams": {layer: "data",
			piece: "a stream of group 0, subgroup 0 with 1 objects ({0, 0}) and FIN"},
		"strip-properties": {layer: "data", piece: "property 0x38 is missing"},
	},
	"datagram-status": {
		"drop-datagrams": {layer: "data", piece: "none of them"},
		"datagrams-as-streams": {layer: "data",
			piece: "a stream of group 0, subgroup 0 with 1 objects ({0, 0}) and FIN"},
		"status-missing":       {layer: "data", piece: "15 datagrams, none of which says where a group ends"},
		"end-of-group-missing": {layer: "data", piece: "15 datagrams, none of which says where a group ends"},
	},
	"datagram-end-of-group": {
		"drop-datagrams": {layer: "data", piece: "none of them"},
		"datagrams-as-streams": {layer: "data",
			piece: "a stream of group 0, subgroup 0 with 1 objects ({0, 0}) and FIN"},
		"corrupt-payload": {layer: "data", piece: "payload differs from byte 0"},
	},
	"late-subscriber": {
		"largest-missing":           {layer: "request", piece: "SUBSCRIBE_OK that says that nothing was published"},
		"second-subscriber-starved": {layer: "data", piece: "0 of 10 objects: missing {3, 0}"},
		"drop-object":               {layer: "data", piece: "12 of 15 objects: missing {0, 0}"},
	},
	"three-subscribers": {
		"second-subscriber-starved": {layer: "data", piece: "0 of 15 objects: missing {0, 0}"},
		"drop-object":               {layer: "data", piece: "12 of 15 objects: missing {0, 0}"},
		"corrupt-payload":           {layer: "data", piece: "payload differs from byte 0"},
		"duplicate-object":          {layer: "data", piece: "more than once {0, 0}"},
	},
	"two-tracks": {
		"duplicate-alias": {layer: "request", piece: "closed with 0x5 DUPLICATE_TRACK_ALIAS"},
		"drop-object":     {layer: "data", piece: "8 of 10 objects: missing {0, 0}"},
	},
	"two-publishers": {
		"second-publisher-ignored": {layer: "data", piece: "of 20 objects: missing {"},
		"drop-object":              {layer: "data", piece: "4 of 20 objects: missing {0, 0}"},
	},
	"unsubscribe": {
		"unsubscribe-ignored": {layer: "data", piece: "streams and datagrams of the track"},
		"drop-object":         {layer: "data", piece: "8 of 10 objects: missing {0, 0}"},
	},
	"filter-next-group": {
		"filter-ignored":            {layer: "data", piece: "unexpected {2, 3}"},
		"largest-missing":           {layer: "request", piece: "SUBSCRIBE_OK that says that nothing was published"},
		"second-subscriber-starved": {layer: "data", piece: "0 of 10 objects: missing {3, 0}"},
	},
	"filter-next-object": {
		"largest-missing":           {layer: "request", piece: "SUBSCRIBE_OK that says that nothing was published"},
		"second-subscriber-starved": {layer: "data", piece: "0 of 12 objects: missing {2, 3}"},
	},
	"filter-absolute-start": {
		"filter-ignored":            {layer: "data", piece: "unexpected {2, 3}"},
		"second-subscriber-starved": {layer: "data", piece: "0 of 8 objects: missing {3, 2}"},
	},
	"filter-absolute-range": {
		"filter-ignored":            {layer: "data", piece: "unexpected {2, 3}"},
		"second-subscriber-starved": {layer: "data", piece: "0 of 4 objects: missing {3, 1}"},
	},
	"filter-object-range": {
		"filter-ignored":            {layer: "data", piece: "unexpected {2, 3}"},
		"second-subscriber-starved": {layer: "data", piece: "0 of 7 objects: missing {3, 1}"},
	},
	"filter-relative": {
		"largest-missing":           {layer: "request", piece: "SUBSCRIBE_OK that says that nothing was published"},
		"second-subscriber-starved": {layer: "data", piece: "0 of 12 objects: missing {2, 3}"},
	},
	"filter-past": {
		"past-range-accepted": {layer: "request", piece: "SUBSCRIBE_OK", last: wire.Draft19, todo: true},
		"past-range-refused": {layer: "request", piece: "REQUEST_ERROR 0x11 INVALID_RANGE \"all of the range was " +
			"published before\"", first: wire.Draft20, todo: true},
		"subscribe-silent": {layer: "request", piece: "nothing for 5000 ms after SUBSCRIBE"},
	},
	"range-filter": {
		"range-filter-ignored": {layer: "data", piece: "unexpected {0, 0}"},
		"subscribe-silent":     {layer: "request", piece: "nothing for 5000 ms after SUBSCRIBE"},
	},
	"range-filter-update": {
		"range-filter-update-ignored": {layer: "data", piece: "missing {1, 0}"},
		"range-filter-ignored":        {layer: "data", piece: "unexpected {0, 0}"},
		"update-silent":               {layer: "request", piece: "nothing for 5000 ms after REQUEST_UPDATE"},
	},
	"forward-state": {
		"forward-ignored": {layer: "data", piece: "2 streams or datagrams"},
		"update-silent": {layer: "request", piece: "nothing for 5000 ms after REQUEST_UPDATE",
			first: wire.Draft16},
		"second-subscriber-starved": {layer: "data", piece: "0 of 10 objects: missing {2, 0}"},
	},
	"update-priority": {
		"update-silent": {layer: "request", piece: "nothing for 5000 ms after ", first: wire.Draft15},
		"update-reject": {layer: "request", piece: "REQUEST_ERROR 0x0 INTERNAL_ERROR \"fault\"",
			first: wire.Draft15},
		"second-subscriber-starved": {layer: "data", piece: "0 of 20 objects: missing {0, 0}"},
	},
	"update-range": {
		"filter-ignored":            {layer: "data", piece: "unexpected {3, 0}", first: wire.Draft16},
		"second-subscriber-starved": {layer: "data", piece: "0 of 15 objects: missing {0, 0}"},
	},
	"fetch-range": {
		"fetch-missing-object": {layer: "data", piece: "8 of 9 objects: missing {0, 4}"},
		"fetch-everything":     {layer: "data", piece: "unexpected {0, 0}"},
		"fetch-extra-object":   {layer: "data", piece: "unexpected {2, 2}"},
		"fetch-silent":         {layer: "request", piece: "nothing for 5000 ms after FETCH"},
	},
	"fetch-single-object": {
		"fetch-everything":      {layer: "data", piece: "unexpected {0, 0}"},
		"fetch-corrupt-payload": {layer: "data", piece: "payload differs from byte 0"},
		"fetch-extra-object":    {layer: "data", piece: "unexpected {1, 3}"},
		"fetch-no-stream":       {layer: "data", piece: "0 of 1 objects: missing {1, 2}"},
	},
	"fetch-ascending": {
		"fetch-missing-object": {layer: "data", piece: "14 of 15 objects: missing {0, 1}"},
		"fetch-reset":          {layer: "data", piece: "RESET_STREAM"},
	},
	"fetch-descending": {
		"fetch-wrong-order":    {layer: "data", piece: "RESET_STREAM", first: wire.Draft18},
		"fetch-missing-object": {layer: "data", piece: "14 of 15 objects: missing {2, 1}"},
	},
	"fetch-past-the-end": {
		"fetch-wrong-end":      {layer: "request", piece: "End {3,4}", todo: true},
		"fetch-missing-object": {layer: "data", piece: "9 of 10 objects: missing {1, 1}"},
		"fetch-everything":     {layer: "data", piece: "unexpected {0, 0}"},
	},
	"fetch-beyond-largest": {
		"invalid-range-wrong": {layer: "request", piece: "DOES_NOT_EXIST \"fault\""},
		"fetch-error":         {layer: "request", piece: "0x0 INTERNAL_ERROR"},
		"fetch-silent":        {layer: "request", piece: "nothing for 5000 ms after FETCH"},
	},
	"fetch-unknown-track": {
		"fetch-error":  {layer: "request", piece: "0x0 INTERNAL_ERROR"},
		"fetch-silent": {layer: "request", piece: "nothing for 5000 ms after FETCH"},
	},
	"fetch-empty-track": {
		"invalid-range-wrong": {layer: "request", piece: "REQUEST_ERROR 0x10 DOES_NOT_EXIST \"fault\""},
		"fetch-error":         {layer: "request", piece: "REQUEST_ERROR 0x0 INTERNAL_ERROR \"fault\""},
	},
	"fetch-upstream": {
		"fetch-missing-object": {layer: "data", piece: "4 of 5 objects: missing {1, 1}"},
		"fetch-no-stream":      {layer: "data", piece: "0 of 5 objects: missing {1, 0}"},
		"fetch-silent":         {layer: "request", piece: "nothing for 5000 ms after FETCH"},
	},
	"fetch-cancel": {
		"fetch-cancel-closes-session": {layer: "request", piece: "connection closed by the peer with 0x3 " +
			"PROTOCOL_VIOLATION \"fault\""},
		"fetch-missing-object": {layer: "data", piece: "objects: missing {1, 1}"},
		"fetch-no-stream":      {layer: "data", piece: "nothing for 5000 ms after FETCH"},
	},
	"fetch-one-subgroup-per-group": {
		"fetch-corrupt-payload": {layer: "data", piece: "payload differs from byte 0"},
		"fetch-missing-object":  {layer: "data", piece: "5 of 6 objects: missing {0, 1}"},
	},
	"fetch-one-subgroup-per-object": {
		"fetch-corrupt-payload": {layer: "data", piece: "payload differs from byte 0"},
		"fetch-missing-object":  {layer: "data", piece: "2 of 3 objects: missing {0, 1}"},
	},
	"fetch-two-subgroups-per-group": {
		"fetch-extra-object":   {layer: "data", piece: "unexpected {0, 6}"},
		"fetch-missing-object": {layer: "data", piece: "5 of 6 objects: missing {0, 1}"},
	},
	"fetch-nonzero-start-group": {
		"fetch-extra-object":   {layer: "data", piece: "unexpected {6, 2}"},
		"fetch-missing-object": {layer: "data", piece: "3 of 4 objects: missing {5, 1}"},
	},
	"fetch-nonzero-start-object": {
		"fetch-reset":          {layer: "data", piece: "RESET_STREAM"},
		"fetch-missing-object": {layer: "data", piece: "2 of 3 objects: missing {0, 4}"},
	},
	"fetch-sparse-group-object-ids": {
		"fetch-extra-object":   {layer: "data", piece: "unexpected {4, 5}"},
		"fetch-missing-object": {layer: "data", piece: "8 of 9 objects: missing {0, 2}"},
	},
	"fetch-object-properties": {
		"fetch-corrupt-payload": {layer: "data", piece: "payload differs from byte 0"},
		"fetch-missing-object":  {layer: "data", piece: "5 of 6 objects: missing {0, 1}"},
	},
	"join-absolute": {
		"join-hole":      {layer: "data", piece: "19 of 20 objects: missing {2, 4}"},
		"join-duplicate": {layer: "data", piece: "more than once {2, 4}"},
		"join-silent": {layer: "data", piece: "10 of 20 objects: missing {1, 0}",
			old: "no such answer for 5000 ms after FETCH"},
		"fetch-corrupt-payload": {layer: "data", piece: "payload differs from byte 0"},
	},
	"join-live": {
		"join-hole": {layer: "data", piece: "objects: missing {"},
		"join-silent": {layer: "data", piece: "objects: missing {",
			old: "no such answer for 5000 ms after FETCH"},
		"fetch-corrupt-payload": {layer: "data", piece: "payload differs from byte 0"},
	},
	"join-nothing-published": {
		"invalid-range-wrong": {layer: "request", piece: "DOES_NOT_EXIST \"fault\""},
		"join-silent":         {layer: "request", piece: "nothing for 5000 ms after FETCH"},
	},
	"join-unknown-request": {
		"join-unknown-wrong": {layer: "request", piece: "DOES_NOT_EXIST \"fault\""},
		"join-silent":        {layer: "request", piece: "nothing for 5000 ms after FETCH"},
	},
	"fill-nothing-published": {
		"drop-object":   {layer: "data", piece: "8 of 10 objects: missing {0, 0}"},
		"route-nowhere": {layer: "request", piece: "REQUEST_ERROR 0x10 DOES_NOT_EXIST \"fault\""},
	},
	"fill-update": {
		"update-silent":         {layer: "request", piece: "nothing for 5000 ms after REQUEST_UPDATE"},
		"join-silent":           {layer: "data", piece: "0 of 10 objects: missing {0, 0}"},
		"fetch-corrupt-payload": {layer: "data", piece: "payload differs from byte 0"},
	},
	"track-status": {
		"track-status-silent": {layer: "request", piece: "nothing for 5000 ms after TRACK_STATUS"},
		"track-status-wrong":  {layer: "request", piece: "Largest Object {3,4}"},
	},
	"track-status-unknown": {
		"track-status-silent": {layer: "request", piece: "nothing for 5000 ms after TRACK_STATUS"},
	},
	"namespace-overlap": {
		"overlap-accepted": {layer: "request", piece: "OK for the prefix"},
	},
	"tracks-overlap": {
		"overlap-accepted": {layer: "request", piece: "REQUEST_OK for the prefix \"moq-interop/tracks-overlap/"},
		"overlap-across-kinds": {layer: "request", piece: "REQUEST_ERROR 0x30 PREFIX_OVERLAP \"overlaps with the " +
			"prefix moq-interop/tracks-overlap/"},
	},
	"namespace-matching": {
		"namespace-silent":       {layer: "request", piece: "nothing for 5000 ms after SUBSCRIBE_NAMESPACE"},
		"namespace-wrong-suffix": {layer: "request", piece: "/wrong"},
	},
	"namespace-routing": {
		"route-nowhere": {layer: "request",
			piece: "(the publisher has seen no request for the track)"},
		"subscribe-ok-without-publisher": {layer: "request", piece: "nothing for 5000 ms after PUBLISH_NAMESPACE"},
		"namespace-prefix-as-text": {layer: "request", piece: "SUBSCRIBE_OK for " +
			"namespace \"moq-interop/namespace-routing/"},
	},
	"subscribe-tracks": {
		"tracks-silent":      {layer: "request", piece: "nothing for 5000 ms after SUBSCRIBE_"},
		"publish-not-routed": {layer: "request", piece: "nothing for 5000 ms after SUBSCRIBE_"},
		"drop-object":        {layer: "data", piece: "8 of 10 objects: missing {0, 0}"},
		"corrupt-payload":    {layer: "data", piece: "payload differs from byte 0"},
	},
	"subscribe-tracks-paused": {
		"tracks-silent":   {layer: "request", piece: "nothing for 5000 ms after SUBSCRIBE_TRACKS"},
		"forward-ignored": {layer: "data", piece: "2 streams or datagrams within 250 ms"},
	},
	"priorities": {
		"priority-ignored": {layer: "data", piece: "of 26 streams with priority 200 opened behind", todo: true},
		"drop-object":      {layer: "data", piece: "a stream of group 0"},
	},
	"delivery-timeout": {
		"delivery-timeout-ignored": {layer: "data", piece: "every object", todo: true},
	},
	"request-ids": {
		"no-request-ids":  {layer: "request", piece: "MAX_REQUEST_ID 0 and no more"},
		"announce-silent": {layer: "request", piece: "nothing for 5000 ms after PUBLISH_NAMESPACE"},
	},
	"request-id-limit": {
		"close-code-wrong": {layer: "request", piece: "connection closed by the peer with 0x1 INTERNAL_ERROR"},
	},
	"goaway": {
		"goaway-ignored":        {layer: "request", piece: "nothing for 5000 ms after PUBLISH_NAMESPACE"},
		"goaway-closes-session": {layer: "request", piece: "connection closed by the peer with 0x0 NO_ERROR \"fault\""},
		"drop-object":           {layer: "data", piece: "8 of 20 objects: missing {0, 0}"},
	},
	"goaway-twice": {
		"close-code-wrong": {layer: "request", piece: "connection closed by the peer with 0x1 INTERNAL_ERROR"},
	},
	"goaway-uri": {
		"close-code-wrong": {layer: "request", piece: "connection closed by the peer with 0x1 INTERNAL_ERROR"},
	},
	"token-alias": {
		"token-alias-lost": {layer: "request", piece: "EXPIRED_AUTH_TOKEN by alias"},
		"announce-silent":  {layer: "request", piece: "nothing for 5000 ms after PUBLISH_NAMESPACE"},
	},
	"token-alias-twice": {
		"close-code-wrong": {layer: "request", piece: "connection closed by the peer with 0x1 INTERNAL_ERROR"},
	},
	"token-cache-overflow": {
		"close-code-wrong": {layer: "request", piece: "connection closed by the peer with 0x1 INTERNAL_ERROR"},
	},
}
