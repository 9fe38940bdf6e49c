package pictures

import "errors"

// ErrNone is the error of a program that was built without pictures.
var ErrNone = errors.New("this program was built without pictures, as that of the container image is: " +
	"keep the results (--json), and let another one draw them (bench plot)")
