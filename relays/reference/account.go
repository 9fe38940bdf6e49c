package reference

import (
	"unsafe"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// What the relay counts itself, beside what each session does, in the account of all that peers make it hold.
const (
	// heldCache are the objects in the cache, heldWaiting those that left it and wait for subscribers.
	heldCache = moqt.HeldOther + iota
	heldWaiting
	// heldOutflows are streams towards clients: those that are open or wait to be opened, and bytes in hand of those
	// that are not read.
	heldOutflows
	// heldWindows is by how much QUIC's windows have grown: what clients may have sent that is not read.
	heldWindows
	// heldTasks are requests that are being served.
	heldTasks
)

// heldNames are the names of the kinds in the metric held_bytes.
var heldNames = []struct {
	kind moqt.Held
	name string
}{
	{moqt.HeldStreams, "streams"}, {moqt.HeldMessages, "messages"}, {moqt.HeldRequests, "requests"},
	{moqt.HeldObjects, "objects"}, {moqt.HeldTokens, "tokens"}, {heldCache, "cache"}, {heldWaiting, "waiting"},
	{heldOutflows, "outflows"}, {heldWindows, "windows"}, {heldTasks, "tasks"},
}

// What they take, in bytes.
const (
	// taskCost is that of serving a request: goroutines, and what the relay notes of it.
	taskCost = 8 << 10
	// eventCost is that of an event that waits to be told, fieldCost that of a field of its namespace.
	eventCost = 64
	fieldCost = 16
	// outflowCost is that of a stream that waits to be opened, slotCost of one that is open: a goroutine, its writer,
	// QUIC's part.
	outflowCost = 512
	slotCost    = 8 << 10
	// handCost is what a stream holds that its client does not read: a buffer here, and what QUIC has of it.
	handCost = 96 << 10
)

// costOf is what serving a request takes, in bytes: of a PUBLISH the relay keeps the properties.
func costOf(req *moqt.Request) int64 {
	cost := int64(taskCost)
	if m, ok := req.Message().(*wire.Publish); ok {
		cost += int64(len(m.Properties)) * int64(unsafe.Sizeof(wire.Property{}))
	}
	return cost
}
