//go:build js

package webconn

import (
	"context"
	"syscall/js"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

const (
	// datagramsIn is how many datagrams the browser keeps for us. Its own bound is one.
	datagramsIn = 4096
	// datagramsOut is how many may be on their way out before SendDatagram waits.
	datagramsOut = 64
)

// datagrams sends.
type datagrams struct {
	c      *Conn
	writer js.Value
	slots  chan struct{}
	sent   *callback
}

// raise makes room for datagrams that come faster than they are read.
func raise(wt js.Value) {
	d := wt.Get("datagrams")
	d.Set("incomingHighWaterMark", datagramsIn)
}

func (d *datagrams) start(c *Conn) {
	d.c = c
	all := c.wt.Get("datagrams")
	if all.Get("createWritable").Type() == js.TypeFunction {
		d.writer = all.Call("createWritable").Call("getWriter")
	} else {
		d.writer = all.Get("writable").Call("getWriter")
	}
	d.slots = make(chan struct{}, datagramsOut)
	d.sent = newCallback(func(js.Value, bool) { <-d.slots })
	context.AfterFunc(c.ctx, d.sent.end)
}

// SendDatagram implements transport.Conn.
func (c *Conn) SendDatagram(b []byte) error {
	if err := c.ended(); err != nil {
		return err
	}
	if most := c.wt.Get("datagrams").Get("maxDatagramSize").Int(); len(b) > most {
		return &transport.DatagramTooLargeError{Size: len(b), Max: most}
	}
	select {
	case c.out.slots <- struct{}{}:
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	}
	c.out.sent.await(c.out.writer.Call("write", array(b)))
	return nil
}

// ReceiveDatagram implements transport.Conn.
func (c *Conn) ReceiveDatagram(ctx context.Context) ([]byte, error) {
	v, err := c.dgrams.take(ctx)
	if err != nil {
		return nil, err
	}
	return bytesOf(v), nil
}
