package cases

import (
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Fault is a misbehaviour of a relay that must make a case fail, and what the failure must say; or a refusal that the
// case must be skipped for. A case may name one twice where drafts lead to different results.
type Fault struct {
	// Name is the fault's name in the reference relay (--list-faults).
	Name string
	// Says is part of Result.Received.
	Says string
	// Layer is Result.Layer.
	Layer transport.Layer
	// Or is another layer that it may be, where that depends on what comes first; empty if there is none.
	Or transport.Layer
	// First and Last bound the drafts in which the fault shows; zero means the case's own bound.
	First, Last wire.Draft
	// Should: the fault breaks a SHOULD, so Result.Todo is set in a run that is not strict.
	Should bool
	// Refused: the relay refuses what it may refuse. The case is skipped, and Says is a piece of Result.Reason.
	Refused bool
}

// Applies reports whether the fault shows in a draft in which its case applies.
func (f *Fault) Applies(d wire.Draft) bool { return f.First <= d && (f.Last == 0 || d <= f.Last) }

// Shows reports whether a result is the failure that the fault must cause.
func (f *Fault) Shows(r *Result) bool {
	return r.Status == Fail && (r.Layer == f.Layer || f.Or != "" && r.Layer == f.Or) &&
		strings.Contains(r.Received, f.Says)
}

// setupFault, requestFault and dataFault are faults that fail in that layer.
func setupFault(name, says string) Fault {
	return Fault{Name: name, Says: says, Layer: transport.LayerSetup}
}

func requestFault(name, says string) Fault {
	return Fault{Name: name, Says: says, Layer: transport.LayerRequest}
}

func dataFault(name, says string) Fault {
	return Fault{Name: name, Says: says, Layer: transport.LayerData}
}

// from and until bound the drafts in which a fault shows.
func (f Fault) from(d wire.Draft) Fault {
	f.First = d
	return f
}

func (f Fault) until(d wire.Draft) Fault {
	f.Last = d
	return f
}

// or names another layer in which the failure may show.
func (f Fault) or(l transport.Layer) Fault {
	f.Or = l
	return f
}

// should says that a fault breaks no MUST, refused that it breaks nothing.
func (f Fault) should() Fault {
	f.Should = true
	return f
}

func (f Fault) refused() Fault {
	f.Refused = true
	return f
}
