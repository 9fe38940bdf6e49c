//go:build !unix

package throughput

import "time"

// processorTime is not known here.
func processorTime() time.Duration { return 0 }
