package bench

import "encoding/binary"

// Every object of a bench begins with a header, so that whoever reads it knows what it is without having sent it:
//
//	magic (16 bits), version (8), phase (8), host (32), number (64), time (64)
//
// The number counts the objects of a phase from 0. The time is that at which the object was to be sent, by the clock of
// the host; 0 where none was taken. The object ends with a sum of its header, so that one that was cut or mixed up is
// noticed.
const (
	headerSize   = 24
	trailerSize  = 8
	headerMagic  = 0x4d42
	headerFormat = 1
)

// MinObjectSize is the least size of an object of a bench: that of its header and its sum.
const MinObjectSize = headerSize + trailerSize

// phase is a part of a bench.
type phase uint8

const (
	phaseWarmup phase = iota + 1
	phaseMeasured
	phaseEnd // one object, whose number is how many were measured
)

// header is the beginning of an object.
type header struct {
	phase  phase
	host   uint32
	number uint64
	time   int64
}

// sum is what an object ends with. Each bit of the header changes it.
func (h header) sum() uint64 {
	const odd = 0x9e3779b97f4a7c15
	s := uint64(h.host)<<32 | uint64(h.phase)
	s = (s ^ h.number) * odd
	return (s^s>>32)*odd ^ uint64(h.time)
}

// put writes the header, and the sum at the end.
func (h header) put(payload []byte) {
	binary.BigEndian.PutUint16(payload, headerMagic)
	payload[2], payload[3] = headerFormat, byte(h.phase)
	binary.BigEndian.PutUint32(payload[4:], h.host)
	binary.BigEndian.PutUint64(payload[8:], h.number)
	binary.BigEndian.PutUint64(payload[16:], uint64(h.time))
	binary.BigEndian.PutUint64(payload[len(payload)-trailerSize:], h.sum())
}

// parseHeader reads the header. whole is false if the payload is not one that put has written.
func parseHeader(payload []byte) (h header, whole bool) {
	if !ours(payload) {
		return h, false
	}
	h.phase = phase(payload[3])
	h.host = binary.BigEndian.Uint32(payload[4:])
	h.number = binary.BigEndian.Uint64(payload[8:])
	h.time = int64(binary.BigEndian.Uint64(payload[16:]))
	return h, binary.BigEndian.Uint64(payload[len(payload)-trailerSize:]) == h.sum()
}

// ours reports whether a payload begins with a bench's header.
func ours(payload []byte) bool {
	return len(payload) >= MinObjectSize && binary.BigEndian.Uint16(payload) == headerMagic &&
		payload[2] == headerFormat && payload[3] >= byte(phaseWarmup) && payload[3] <= byte(phaseEnd)
}
