package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"reflect"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// mostRead bounds a file of results, in bytes.
const mostRead = 64 << 20

// ReadFile reads the results of a file; - is stdin. See Read.
func ReadFile(name string, stdin io.Reader) ([]*Result, error) {
	if name == "-" {
		results, err := Read(stdin)
		if err != nil {
			return nil, fmt.Errorf("stdin: %w", err)
		}
		return results, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	results, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return results, nil
}

// Read reads what --json has written: one result, several behind each other, or a list of them.
func Read(r io.Reader) (results []*Result, err error) {
	limited := &io.LimitedReader{R: r, N: mostRead + 1}
	d := json.NewDecoder(limited)
	for {
		var raw json.RawMessage
		switch err := d.Decode(&raw); {
		case limited.N == 0:
			return nil, fmt.Errorf("it has more than %d MiB", mostRead>>20)
		case errors.Is(err, io.EOF) && len(results) > 0:
			return results, nil
		case errors.Is(err, io.EOF):
			return nil, errors.New("there is no result in it")
		case err != nil:
			return nil, fmt.Errorf("it is no result of a bench: %w", err)
		}
		list := []json.RawMessage{raw}
		if raw[0] == '[' {
			if err := json.Unmarshal(raw, &list); err != nil {
				return nil, fmt.Errorf("it is no list of results: %w", err)
			}
		}
		for _, one := range list {
			result, err := parse(one)
			if err != nil {
				return nil, fmt.Errorf("result %d: %w", len(results)+1, err)
			}
			results = append(results, result)
		}
	}
}

// parse reads one. It takes fields that it does not know: those of a later program of the same version.
func parse(b []byte) (*Result, error) {
	var r *Result
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("it is none of a bench: %w", err)
	}
	switch {
	case r == nil || r.Version == 0:
		return nil, errors.New("it is none of a bench: no version")
	case r.Version != ResultVersion:
		return nil, fmt.Errorf("its version is %d, this program reads %d", r.Version, ResultVersion)
	}
	if v, ok := sane(reflect.ValueOf(r)); !ok {
		return nil, fmt.Errorf("the figure %g in it makes no sense", v)
	}
	for _, s := range []*Spread{r.Join, r.latency()} {
		if s != nil && s.Log != "" {
			if _, err := s.Histogram(); err != nil {
				return nil, err
			}
		}
	}
	return r, nil
}

// latency is the spread of the latencies; nil for none.
func (r *Result) latency() *Spread {
	if r.Latency == nil {
		return nil
	}
	return &r.Latency.Spread
}

// sane looks for a figure that no machine of today has.
func sane(v reflect.Value) (bad float64, ok bool) {
	switch v.Kind() {
	case reflect.Float64:
		return v.Float(), math.Abs(v.Float()) <= 1e15
	case reflect.Pointer:
		if !v.IsNil() {
			return sane(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			if bad, ok := sane(v.Index(i)); !ok {
				return bad, false
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); !f.IsExported() {
				continue
			}
			if bad, ok := sane(v.Field(i)); !ok {
				return bad, false
			}
		}
	}
	return 0, true
}

// Histogram reads the whole histogram, in nanoseconds.
func (s *Spread) Histogram() (*hdrhistogram.Histogram, error) {
	h, err := hdrhistogram.Decode([]byte(s.Log))
	if err != nil {
		return nil, fmt.Errorf("hdr_histogram_ns: %w", err)
	}
	return h, nil
}
