package badpath

import (
	"fmt"
	"strings"
)

// Counts are the packets of one direction: every packet, and every second copy, is in one of Delivered, Lost, TooLarge,
// QueueFull, Refused and UnderWay.
type Counts struct {
	// Packets and Bytes came in. Delivered and DeliveredBytes went out.
	Packets, Bytes, Delivered, DeliveredBytes uint64
	// Duplicated are packets that were sent on twice, Reordered those that were held back.
	Duplicated, Reordered uint64
	// Lost were thrown away by chance, TooLarge for their size, QueueFull because no more could wait.
	Lost, TooLarge, QueueFull uint64
	// Refused could not be sent: nobody listens, or the system said no.
	Refused uint64
	// UnderWay have not arrived yet.
	UnderWay uint64
}

// Stats are the counters of a proxy.
type Stats struct {
	// Clients have come so far. Up is what they sent, Down what the relay sent.
	Clients  int
	Up, Down Counts
	// Unserved packets came from clients for whom there was no room.
	Unserved uint64
}

// String is one line for people.
func (s Stats) String() string {
	text := fmt.Sprintf("%d clients; up: %s; down: %s", s.Clients, s.Up, s.Down)
	if s.Clients == 1 {
		text = strings.Replace(text, "clients", "client", 1)
	}
	if s.Unserved > 0 {
		text += fmt.Sprintf("; %d packets of clients for whom there was no room", s.Unserved)
	}
	return text
}

// String names what is not 0.
func (c Counts) String() string {
	text := fmt.Sprintf("%d of %d packets (%d of %d bytes)", c.Delivered, c.Packets, c.DeliveredBytes, c.Bytes)
	for _, x := range []struct {
		n    uint64
		what string
	}{
		{c.Lost, "lost"}, {c.TooLarge, "too large"}, {c.QueueFull, "for which the queue was full"},
		{c.Duplicated, "twice"}, {c.Reordered, "overtaken"}, {c.Refused, "refused"}, {c.UnderWay, "under way"},
	} {
		if x.n > 0 {
			text += fmt.Sprintf(", %d %s", x.n, x.what)
		}
	}
	return text
}
