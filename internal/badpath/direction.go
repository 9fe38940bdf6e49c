package badpath

import (
	"errors"
	"fmt"
	"time"
)

// Direction is what happens to packets on their way one way. The zero value passes everything on at once.
type Direction struct {
	// Delay is how long every packet is under way. Jitter is how much longer a packet may be, evenly spread; packets
	// of one client keep their order.
	Delay, Jitter time.Duration
	// Loss, Duplicate and Reorder are shares of the packets, from 0 to 1: those that vanish, those that come twice,
	// and those that are held back by ReorderBy, so that later ones overtake them.
	Loss, Duplicate, Reorder float64
	// ReorderBy is how long a packet that is to be overtaken is held back; 0 means DefaultReorderBy.
	ReorderBy time.Duration
	// Rate is how many bits of UDP payload the line carries a second, for all clients together; 0 means any number.
	Rate int64
	// Queue is how many bytes may wait for the line; a packet that finds no room is dropped. 0 means what the line
	// carries in 200 ms, and at least 32 KiB.
	Queue int64
	// MaxPacket is the largest UDP payload that gets through, in bytes; 0 means any.
	MaxPacket int
}

// DefaultReorderBy is how long a packet that is to be overtaken is held back unless the direction says otherwise.
const DefaultReorderBy = 10 * time.Millisecond

// The default of Direction.Queue.
const (
	queueTime = 200 * time.Millisecond
	minQueue  = 32 << 10
)

// check refuses what makes no sense.
func (d *Direction) check() error {
	for _, x := range []struct {
		what  string
		wrong bool
	}{
		{"delay", d.Delay < 0}, {"jitter", d.Jitter < 0}, {"time of reordering", d.ReorderBy < 0},
		{"rate", d.Rate < 0}, {"queue", d.Queue < 0}, {"largest packet", d.MaxPacket < 0},
	} {
		if x.wrong {
			return fmt.Errorf("the %s is negative", x.what)
		}
	}
	for _, share := range []float64{d.Loss, d.Duplicate, d.Reorder} {
		if !(share >= 0 && share <= 1) {
			return errors.New("a share of the packets is not from 0 to 1")
		}
	}
	return nil
}

// withDefaults fills in what is 0 and has a default.
func (d Direction) withDefaults() Direction {
	if d.ReorderBy == 0 {
		d.ReorderBy = DefaultReorderBy
	}
	if d.Rate > 0 && d.Queue == 0 {
		d.Queue = max(minQueue, int64(float64(d.Rate)/8*queueTime.Seconds()))
	}
	return d
}
