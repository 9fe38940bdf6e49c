//go:build !js && small

package runner

import (
	"errors"
	"net/http"
)

// profiles says that there are none.
func profiles(*http.ServeMux) error {
	return errors.New("--pprof: the small image goes without profiles; :latest-full and a released program have them")
}
