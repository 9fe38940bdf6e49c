package cases

// Env is what a case works with: its connections, names and verbs. Safe for concurrent use by the goroutines of one case.
type Env struct {
	c   Case
	cfg Config
}
