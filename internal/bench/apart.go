package bench

import (
	"context"
	"fmt"
)

// apart is the subscriber of a loopback that runs in a process of its own.
type apart struct {
	done   chan struct{}
	result *Result
	err    error
}

// startApart starts the subscriber elsewhere.
func (r *running) startApart(ctx context.Context) {
	r.apart = &apart{done: make(chan struct{})}
	r.tasks.Go(func() {
		defer close(r.apart.done)
		if r.apart.result, r.apart.err = r.Subscriber(ctx, r.URL); r.apart.err != nil {
			r.apart.err = fmt.Errorf("subscriber: %w", r.apart.err)
			r.stop(r.apart.err)
		}
	})
}

// both is the result of both ends.
func (a *apart) both(publisher *Result) (*Result, error) {
	publisher.Draft, publisher.Transport = a.result.Draft, a.result.Transport
	load := publisher.Load
	publisher.Load.Processes = 1
	m, err := merge([]*Result{publisher, a.result})
	if err != nil {
		return nil, err
	}
	m.Bench, m.Relay, m.Load = publisher.Bench, "", load
	return m, nil
}
