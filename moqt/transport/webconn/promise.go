//go:build js

package webconn

import (
	"context"
	"sync"
	"sync/atomic"
	"syscall/js"
)

// callback awaits promises, also several at a time, with one pair of functions. Use newCallback, and end it.
type callback struct {
	done func(v js.Value, failed bool)

	mu      sync.Mutex
	waiting int
	over    bool
	freed   bool
	ok      js.Func
	failed  js.Func
}

// pending counts the callbacks whose functions have not been released.
var pending atomic.Int64

// newCallback calls done, which may not wait, with what each promise gives, or with the error of one that fails.
func newCallback(done func(v js.Value, failed bool)) *callback {
	c := &callback{done: done}
	pending.Add(1)
	c.ok = c.function(false)
	c.failed = c.function(true)
	return c
}

func (c *callback) function(failed bool) js.Func {
	return js.FuncOf(func(_ js.Value, args []js.Value) any {
		v := js.Undefined()
		if len(args) > 0 {
			v = args[0]
		}
		c.done(v, failed)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.waiting--
		c.free()
		return nil
	})
}

// await has done called when the promise is settled.
func (c *callback) await(promise js.Value) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting++
	promise.Call("then", c.ok, c.failed)
}

// end says that no more promises come. The functions are released with the last one.
func (c *callback) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over {
		c.over = true
		c.free()
	}
}

// free releases the functions when nothing needs them any more. The caller holds mu.
func (c *callback) free() {
	if c.over && c.waiting == 0 && !c.freed {
		c.freed = true
		pending.Add(-1)
		c.ok.Release()
		c.failed.Release()
	}
}

// ignored takes the error of a promise whose outcome shows elsewhere.
var ignored = js.FuncOf(func(js.Value, []js.Value) any { return nil })

// ignore keeps the browser from reporting a promise that fails.
func ignore(promise js.Value) { promise.Call("catch", ignored) }

// settled is what a promise came to.
type settled struct {
	v      js.Value
	failed bool
}

// wait waits for a promise, until ctx ends. What comes later goes to late, which may be nil.
func wait(ctx context.Context, promise js.Value, late func(js.Value)) (settled, error) {
	var mu sync.Mutex
	gone := false
	came := make(chan settled, 1)
	c := newCallback(func(v js.Value, failed bool) {
		mu.Lock()
		defer mu.Unlock()
		if gone {
			if !failed && late != nil {
				late(v)
			}
			return
		}
		came <- settled{v, failed}
	})
	c.await(promise)
	c.end()
	select {
	case s := <-came:
		return s, nil
	case <-ctx.Done():
	}
	mu.Lock()
	defer mu.Unlock()
	select {
	case s := <-came:
		return s, nil
	default:
	}
	gone = true
	return settled{}, context.Cause(ctx)
}

// try calls f, and gives what JavaScript throws in it.
func try(f func()) (thrown *js.Error) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case js.Error:
			thrown = &e
		default:
			panic(e)
		}
	}()
	f()
	return nil
}

// array copies bytes into a new Uint8Array.
func array(b []byte) js.Value {
	a := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(a, b)
	return a
}

// bytesOf copies what a Uint8Array has.
func bytesOf(a js.Value) []byte {
	b := make([]byte, a.Get("byteLength").Int())
	js.CopyBytesToGo(b, a)
	return b
}
