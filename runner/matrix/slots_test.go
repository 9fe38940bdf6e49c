package matrix

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/runner"
)

// inOrder is a client that notes the IDs of its cases, and holds each until it is told.
type inOrder struct {
	runner.Client
	names []string
	next  chan struct{}
}

func (c *inOrder) Run(_ context.Context, one cases.Case, _ func(runner.Session)) runner.Result {
	c.names = append(c.names, one.ID)
	<-c.next
	return runner.Result{Status: runner.Pass}
}

// TestCasesWaitInTurn: results stay in order, so a case that is passed over again and again holds back all others.
func TestCasesWaitInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &inOrder{next: make(chan struct{})}
		full := slots{make(chan struct{}, 1)}
		full[0] <- struct{}{}
		s := withSlots(client, &work{slots: full})
		want := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
		for i, name := range want {
			if i >= 4 {
				client.next <- struct{}{} // one ends, and the next one comes at the same moment
			}
			go s.Run(t.Context(), cases.Case{ID: name}, nil)
			synctest.Wait()
		}
		for range 4 {
			synctest.Wait()
			client.next <- struct{}{}
		}
		synctest.Wait()
		if !slices.Equal(client.names, want) {
			t.Errorf("cases ran as %v, want %v", client.names, want)
		}
	})
}
