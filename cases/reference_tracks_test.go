package cases_test

import "github.com/moqinterop/moq-interop-client/moqt/wire"

// trackFailures are those of the cases in list_tracks.go.
var trackFailures = map[string]map[string]failure{
	"rendezvous-timeout": {
		"subscribe-accepts-everything": {layer: "request", piece: "SUBSCRIBE_OK for a track that nobody publishes"},
		"subscribe-silent":             {layer: "request", piece: "nothing for 5000 ms after SUBSCRIBE"},
		"rendezvous-ignored":           {layer: "request", piece: "0x10 DOES_NOT_EXIST", todo: true},
	},
	"publish-track-only": {
		"publish-silent":      {layer: "request", piece: "nothing for 5000 ms after PUBLISH"},
		"publish-reject":      {layer: "request", piece: "UNINTERESTED"},
		"done-closes-session": {layer: "request", piece: "connection closed by the peer with 0x3 PROTOCOL_VIOLATION"},
	},
	"publish-track-subscribe": {
		"publish-silent":       {layer: "request", piece: "nothing for 5000 ms after PUBLISH"},
		"publish-not-routed":   {layer: "request", piece: "(the publisher has seen no request for the track)"},
		"publish-stays-paused": {layer: "request", piece: "for 5000 ms after PUBLISH"},
		"drop-object":          {layer: "data", piece: "0 of 1 objects: missing {0, 0}"},
		"duplicate-object":     {layer: "data", piece: "1 of 1 objects: more than once {0, 0}"},
		"corrupt-payload":      {layer: "data", piece: "corrupted {0, 0}: payload differs from byte 0"},
	},
	"namespace-discovery": {
		"tracks-silent":      {layer: "request", piece: "nothing for 5000 ms after SUBSCRIBE_"},
		"publish-silent":     {layer: "request", piece: "nothing for 5000 ms after PUBLISH"},
		"publish-not-routed": {layer: "request", piece: "nothing for 5000 ms after SUBSCRIBE_"},
		"announce-reject":    {layer: "request", piece: "0x1 UNAUTHORIZED"},
	},
	"data-subgroup-basic": {
		"route-nowhere":      {layer: "request", piece: "(the publisher has seen no request for the track)"},
		"drop-object":        {layer: "data", piece: "12 of 15 objects: missing {0, 0}, {1, 0}, {2, 0}"},
		"duplicate-object":   {layer: "data", piece: "more than once {0, 0}"},
		"corrupt-payload":    {layer: "data", piece: "corrupted {0, 0}: payload differs from byte 0"},
		"truncate-payload":   {layer: "data", piece: "63 bytes of payload instead of 64"},
		"wrong-object-id":    {layer: "data", piece: "unexpected {0, 5}"},
		"wrong-group-id":     {layer: "data", piece: "missing {0, 0}"},
		"wrong-subgroup-id":  {layer: "data", piece: "subgroup 1 instead of 0"},
		"wrong-priority":     {layer: "data", piece: "priority 129 instead of 128"},
		"drop-group":         {layer: "data", piece: "10 of 15 objects: missing {1, 0}"},
		"split-streams":      {layer: "data", piece: "more than one stream of group 0, subgroup 0"},
		"never-fin":          {layer: "data", piece: "RESET_STREAM"},
		"stream-count-wrong": {layer: "data", piece: "3 streams"},
		"done-wrong-status":  {layer: "request", piece: "PUBLISH_DONE with 0x0 INTERNAL_ERROR", todo: true},
		"done-never":         {layer: "request", piece: "nothing new for", todo: true},
	},
	"subscribe-namespace-lifecycle": {
		"namespace-silent":       {layer: "request", piece: "nothing new for 5000 ms"},
		"namespace-done-missing": {layer: "request", piece: "nothing new for 5000 ms"},
		"namespace-wrong-suffix": {layer: "request", piece: "/live/wrong"},
		"announce-silent":        {layer: "request", piece: "nothing for 5000 ms after PUBLISH_NAMESPACE"},
	},
	"subscribe-one-subgroup-per-group": {
		"publish-silent":       {layer: "request", piece: "nothing for 5000 ms after PUBLISH"},
		"publish-reject":       {layer: "request", piece: "UNINTERESTED"},
		"publish-not-routed":   {layer: "request", piece: "(the publisher has seen no request for the track)"},
		"publish-stays-paused": {layer: "request", piece: "for 5"},
		"wrong-priority":       {layer: "data", piece: "priority 201 instead of 200"},
		"duplicate-object":     {layer: "data", piece: "more than once {0, 0}"},
		"split-streams":        {layer: "data", piece: "more than one stream of group 0, subgroup 0"},
		"never-fin":            {layer: "data", piece: "RESET_STREAM"},
		"first-object-missing": {layer: "data", piece: "{0, 0}: FIRST_OBJECT is false instead of true",
			first: wire.Draft18},
	},
	"subscribe-one-subgroup-per-object": {
		"wrong-subgroup-id": {layer: "data", piece: "{0, 1}: subgroup 2 instead of 1"},
		"drop-object":       {layer: "data", piece: "0 of 3 objects"},
		"first-object-missing": {layer: "data", piece: "{0, 2}: FIRST_OBJECT is false instead of true",
			first: wire.Draft18},
	},
	"subscribe-two-subgroups-per-group": {
		"wrong-subgroup-id": {layer: "data", piece: "{0, 1}: subgroup 2 instead of 1"},
		"split-streams":     {layer: "data", piece: "more than one stream of group 0, subgroup"},
		"corrupt-payload":   {layer: "data", piece: "corrupted {0, "},
	},
	"subscribe-nonzero-start-group": {
		"wrong-group-id": {layer: "data", piece: "missing {5, 0}"},
		"drop-group":     {layer: "data", piece: "2 of 4 objects: missing {5, 0}, {5, 1}"},
	},
	"subscribe-nonzero-start-object": {
		"wrong-object-id":  {layer: "data", piece: "missing {0, 3}; unexpected {0, 6}"},
		"truncate-payload": {layer: "data", piece: "{0, 3}: 15 bytes of payload instead of 16"},
		"first-object-missing": {layer: "data", piece: "{0, 3}: FIRST_OBJECT is false instead of true",
			first: wire.Draft18},
	},
	"subscribe-sparse-group-object-ids": {
		"wrong-object-id": {layer: "data", piece: "unexpected {0, 1}, {0, 3}, {0, 5}"},
		"drop-object":     {layer: "data", piece: "6 of 9 objects: missing {0, 0}, {2, 0}, {4, 0}"},
		"split-streams":   {layer: "data", piece: "more than one stream of group"},
	},
	"subscribe-object-properties": {
		"strip-properties":   {layer: "data", piece: "property 0x3800 is missing"},
		"publish-not-routed": {layer: "request", piece: "(the publisher has seen no request for the track)"},
	},
}
