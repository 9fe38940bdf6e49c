package wire

import (
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Drafts whose texts state the same, for the tables below.
var (
	from15to17 = []Draft{15, 16, 17}
	from18     = []Draft{18, 19, 20, 21, 22}
)

// answerTypes are the type codes that answer each request, as the texts list them (draft-14 §9, draft-15 §9.7 and §9.8,
// draft-17 §9.6, §9.7 and §9.12, draft-18 §10.5 and §10.6).
var answerTypes = []struct {
	drafts []Draft
	types  map[Kind][]uint64
}{
	{[]Draft{14}, map[Kind][]uint64{
		KindSubscribe:          {0x4, 0x5},
		KindPublish:            {0x1E, 0x1F},
		KindFetch:              {0x18, 0x19},
		KindTrackStatus:        {0xE, 0xF},
		KindPublishNamespace:   {0x7, 0x8},
		KindSubscribeNamespace: {0x12, 0x13},
	}},
	{from15to17, map[Kind][]uint64{
		KindSubscribe:          {0x4, 0x5},
		KindPublish:            {0x1E, 0x5},
		KindFetch:              {0x18, 0x5},
		KindTrackStatus:        {0x7, 0x5},
		KindPublishNamespace:   {0x7, 0x5},
		KindSubscribeNamespace: {0x7, 0x5},
		KindRequestUpdate:      {0x7, 0x5},
	}},
	{from18, map[Kind][]uint64{
		KindSubscribe:          {0x4, 0x5},
		KindPublish:            {0x7, 0x5},
		KindFetch:              {0x18, 0x5},
		KindTrackStatus:        {0x7, 0x5},
		KindPublishNamespace:   {0x7, 0x5},
		KindSubscribeNamespace: {0x7, 0x5},
		KindSubscribeTracks:    {0x7, 0x5},
		KindRequestUpdate:      {0x7, 0x5},
	}},
}

// TestMayAnswer: of the types of responses that a draft has, those that its text names answer a request, and no others.
func TestMayAnswer(t *testing.T) {
	for _, x := range answerTypes {
		for _, d := range x.drafts {
			var all []uint64
			for _, types := range x.types {
				all = append(all, types...)
			}
			slices.Sort(all)
			all = slices.Compact(all)
			for request, types := range x.types {
				for _, code := range all {
					m := rowOf(d, code).message(request)
					err := MayAnswer(d, m, request)
					if want := slices.Contains(types, code); want != (err == nil) {
						t.Errorf("%s: 0x%x answers %s: %v, want %v", d, code, request, err, want)
					}
					var e *Error
					if err != nil && (!errors.As(err, &e) || e.Code != ProtocolViolation || e.Section() == "" ||
						!strings.Contains(e.Reason, "want ")) {
						t.Errorf("%s: %v names no code, section or wanted type", d, err)
					}
				}
			}
		}
	}
}

// TestAnswerTypeIsKept: the type code that came is shown, and comes back, also where it does not answer the request.
func TestAnswerTypeIsKept(t *testing.T) {
	for _, x := range []struct {
		d       Draft
		stream  StreamKind
		answers Kind
		hex     string
		types   string // as decode prints them
		remarks string // part of the remarks, in order
	}{
		{17, RequestStream, KindPublish, "07000100", "REQUEST_OK 7",
			"0x7 does not answer PUBLISH: want PUBLISH_OK (0x1e)"},
		{17, RequestStream, KindPublish, "1e000100", "PUBLISH_OK 30", ""},
		{17, RequestStream, KindNone, "07000100", "REQUEST_OK 7", ""},
		// The type comes first, also where the rest cannot be read, and no tolerance makes up for it.
		{17, RequestStream, KindPublish, "070003011001", "",
			"type at byte 0: type 0x7 does not answer PUBLISH: want PUBLISH_OK (0x1e) or REQUEST_ERROR (0x5) " +
				"(draft-17 §9.6)"},
		{17, RequestStream, KindPublishNamespace, "070003011001", "", "would pass with --compat misplaced-parameters"},
		{16, RequestStream, KindSubscribeNamespace, "1e00020000", "", "not allowed on a request stream"},
		{16, ControlStream, KindPublishNamespace, "1e00020000", "PUBLISH_OK 30",
			"want REQUEST_OK (0x7) or REQUEST_ERROR (0x5)"},
		{15, ControlStream, KindPublish, "0700020000", "REQUEST_OK 7", "want PUBLISH_OK (0x1e) or REQUEST_ERROR (0x5)"},
		{15, ControlStream, KindSubscribe, "0700020000", "REQUEST_OK 7",
			"want SUBSCRIBE_OK (0x4) or REQUEST_ERROR (0x5)"},
		{14, ControlStream, KindSubscribeNamespace, "07000100", "PUBLISH_NAMESPACE_OK 7",
			"want SUBSCRIBE_NAMESPACE_OK (0x12) or SUBSCRIBE_NAMESPACE_ERROR (0x13)"},
		{14, ControlStream, KindFetch, "0500" + "03" + "000000", "SUBSCRIBE_ERROR 5",
			"want FETCH_OK (0x18) or FETCH_ERROR (0x19)"},
		{18, RequestStream, KindPublish, "07000100", "REQUEST_OK 7", ""},
		{18, RequestStream, KindSubscribe, "07000100", "REQUEST_OK 7", "does not answer SUBSCRIBE"},
		{18, RequestStream, KindFetch, "0400020000", "SUBSCRIBE_OK 4", "does not answer FETCH"},
		// What follows the response answers updates.
		{18, RequestStream, KindSubscribe, "0400020000" + "07000100" + "0400020000",
			"SUBSCRIBE_OK 4 REQUEST_OK 7 SUBSCRIBE_OK 4",
			"does not answer REQUEST_UPDATE"},
		{18, RequestStream, KindSubscribe, "0b00030200" + "00", "PUBLISH_DONE 11", ""},
	} {
		in := unhex(t, x.hex)
		lines, err := Decode(x.d, x.stream, in, Options{Answers: x.answers})
		var types, remarks []string
		for _, l := range lines {
			types, remarks = append(types, l.Type, l.TypeID), append(remarks, l.Remarks...)
		}
		if x.types == "" {
			const hint = "would pass"
			if err == nil || !strings.Contains(err.Error(), x.remarks) ||
				strings.Contains(err.Error(), hint) != strings.Contains(x.remarks, hint) {
				t.Errorf("%s %s: %v, want %s", x.d, x.hex, err, x.remarks)
			}
			continue
		}
		if err != nil || strings.Join(types, " ") != x.types || len(remarks) > 1 ||
			(len(remarks) == 0) != (x.remarks == "") || !strings.Contains(strings.Join(remarks, ""), x.remarks) {
			t.Errorf("%s %s: %q, %q, %v; want %q with the remark %q", x.d, x.hex, types, remarks, err, x.types,
				x.remarks)
		}
		if b, err := Encode(x.d, lines); err != nil || hex.EncodeToString(b) != x.hex {
			t.Errorf("%s: %x, %v; want %s", x.d, b, err, x.hex)
		}
	}
}

// okParameters are the parameters that may stand in the OKs without a type of their own, as the texts define them
// (draft-15 §9.2.1, draft-16 §9.2.2, draft-17 §9.3, draft-18 §10.2, draft-20 §10.2, draft-22 §9.20). EXPIRES in the OK
// of TRACK_STATUS is there because it has "the same parameters" as SUBSCRIBE_OK (draft-18 §10.14, draft-22 §9.13).
var okParameters = []struct {
	drafts []Draft
	ok     map[Kind][]ParameterType
}{
	{[]Draft{15}, map[Kind][]ParameterType{
		KindPublish:            {0x02, 0x08, 0x10, 0x20, 0x21, 0x22, 0x32},
		KindTrackStatus:        {0x02, 0x04, 0x08, 0x09, 0x10, 0x22},
		KindRequestUpdate:      {0x08, 0x09},
		KindPublishNamespace:   {0x08},
		KindSubscribeNamespace: {0x08},
	}},
	{[]Draft{16, 17}, map[Kind][]ParameterType{
		KindPublish:            {0x02, 0x08, 0x10, 0x20, 0x21, 0x22, 0x32},
		KindTrackStatus:        {0x08, 0x09},
		KindRequestUpdate:      {0x08, 0x09},
		KindPublishNamespace:   {0x08},
		KindSubscribeNamespace: {0x08},
	}},
	{[]Draft{18}, map[Kind][]ParameterType{
		KindPublish:       {0x02, 0x06, 0x08, 0x10, 0x20, 0x21, 0x22, 0x32},
		KindTrackStatus:   {0x08, 0x09},
		KindRequestUpdate: {0x08, 0x09},
	}},
	{[]Draft{19}, map[Kind][]ParameterType{
		KindPublish:            {0x02, 0x06, 0x08, 0x10, 0x20, 0x21, 0x25, 0x26, 0x27, 0x28, 0x32},
		KindTrackStatus:        {0x08, 0x09},
		KindRequestUpdate:      {0x08, 0x09},
		KindPublishNamespace:   {0x08},
		KindSubscribeNamespace: {0x08},
		KindSubscribeTracks:    {0x08},
	}},
	{[]Draft{20, 21, 22}, map[Kind][]ParameterType{
		KindPublish:            {0x08},
		KindTrackStatus:        {0x08, 0x09},
		KindRequestUpdate:      {0x08, 0x09},
		KindPublishNamespace:   {0x08},
		KindSubscribeNamespace: {0x08},
		KindSubscribeTracks:    {0x08},
	}},
}

// TestOKParameters: each OK takes the parameters that the text gives it. Where it is not known what REQUEST_OK answers
// it takes those of all that it may answer, so none of PUBLISH_OK's in 15 to 17.
func TestOKParameters(t *testing.T) {
	for _, x := range okParameters {
		for _, d := range x.drafts {
			every := map[ParameterType]bool{}
			for answers := KindNone; answers <= KindRaw; answers++ {
				r := rowFor(d, KindRequestOK, answers, NoSide)
				if r.answers.has(answers) {
					wantParameters(t, d, r, answers, x.ok[answers])
					if r.answers.only() == KindNone {
						for _, p := range x.ok[answers] {
							every[p] = true
						}
					}
				}
			}
			wantParameters(t, d, rowOf(d, 0x7), KindNone, slices.Collect(maps.Keys(every)))
		}
	}
}

func wantParameters(t *testing.T, d Draft, r *row, answers Kind, want []ParameterType) {
	t.Helper()
	for p := range ParameterType(0x40) {
		x := parameterRowOf(d, p)
		allowed := x != nil && x.where&placeOf(r, &Options{Answers: answers}) != 0
		if allowed != slices.Contains(want, p) {
			t.Errorf("%s: %s in %s answering %s: allowed %v, want %v", d, p.label(d), r.name, answers, allowed,
				!allowed)
		}
	}
}

// TestNamespacePrefixLength: with the tolerance, what can be read without a length is read so.
func TestNamespacePrefixLength(t *testing.T) {
	for _, x := range []struct {
		hex   string
		first string
		told  bool
	}{
		{"02000a06013406020161026263", "a", true},
		{"020009060134" + "020161026263", "a", false},
		{"02000a060134" + "03" + "0101" + "0161" + "0162", "\x01", false}, // no length of 3
	} {
		var told Tolerance
		m, _, err := ParseMessage(unhex(t, x.hex), Draft20, RequestStream, Options{Tolerate: NamespacePrefixLength,
			Tolerated: func(tol Tolerance, _ string) { told |= tol }})
		if err != nil {
			t.Errorf("%s: %v", x.hex, err)
			continue
		}
		p, _ := m.(*RequestUpdate).Parameters.Get(ParamTrackNamespacePrefix)
		if p.Namespace[0] != x.first || p.Wrapped != x.told || (told != 0) != x.told {
			t.Errorf("%s: %q, wrapped %v, told %s", x.hex, p.Namespace, p.Wrapped, told)
		}
		if b, err := AppendMessage(nil, Draft20, m, RequestStream); err != nil || hex.EncodeToString(b) != x.hex {
			t.Errorf("%x, %v; want %s", b, err, x.hex)
		}
	}
}
