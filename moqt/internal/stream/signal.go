package stream

// Signal wakes the goroutine that waits on c, a channel with room for one value, now or when it next waits.
func Signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
