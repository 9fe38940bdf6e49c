//go:build !js && !small

package runner

import (
	"net/http"
	"net/http/pprof"
)

// profiles adds the profiles of the process.
func profiles(mux *http.ServeMux) error {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return nil
}
