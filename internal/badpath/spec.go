package badpath

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParsePath reads a path such as "loss=3%,rtt=100ms,rate=10mbit": the names are those of the command's flags, with up-
// or down- in front for one direction. Times that are no round trip, shares and rates are for each direction.
func ParsePath(text string) (Path, error) {
	var p Path
	for _, part := range strings.Split(text, ",") {
		name, value, found := strings.Cut(strings.TrimSpace(part), "=")
		if !found {
			return p, fmt.Errorf("network %q: want NAME=VALUE,… such as loss=3%%,rtt=100ms,rate=10mbit", text)
		}
		if err := p.set(name, value); err != nil {
			return p, fmt.Errorf("network %q: %w", text, err)
		}
	}
	return p, nil
}

func (p *Path) set(name, value string) error {
	switch name {
	case "seed":
		var err error
		p.Seed, err = strconv.ParseUint(value, 10, 64)
		return err
	case "rtt":
		rtt, err := span(value)
		p.Up.Delay, p.Down.Delay = rtt/2, rtt/2
		return err
	}
	own, up := strings.CutPrefix(name, "up-")
	own, down := strings.CutPrefix(own, "down-")
	if !down {
		if err := p.Up.set(own, value); err != nil {
			return err
		}
	}
	if !up {
		return p.Down.set(own, value)
	}
	return nil
}

func (d *Direction) set(name, value string) (err error) {
	share := func(to *float64) error { return (*Share)(to).UnmarshalText([]byte(value)) }
	switch name {
	case "delay":
		d.Delay, err = span(value)
	case "jitter":
		d.Jitter, err = span(value)
	case "reorder-by":
		d.ReorderBy, err = span(value)
	case "loss":
		err = share(&d.Loss)
	case "duplicate":
		err = share(&d.Duplicate)
	case "reorder":
		err = share(&d.Reorder)
	case "rate":
		err = (*Rate)(&d.Rate).UnmarshalText([]byte(value))
	case "queue":
		d.Queue, err = strconv.ParseInt(value, 10, 64)
	case "max-packet":
		d.MaxPacket, err = strconv.Atoi(value)
	default:
		return fmt.Errorf("%q is none of rtt, delay, jitter, loss, duplicate, reorder, reorder-by, rate, queue, "+
			"max-packet and seed", name)
	}
	if err == nil {
		err = d.check()
	}
	return err
}

// span reads a time that is not negative.
func span(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no time such as 100ms or 1.5s", text)
	}
	return d, nil
}
