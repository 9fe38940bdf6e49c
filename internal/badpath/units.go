package badpath

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Rate is a number of bits a second. It is read from texts such as "10mbit" or "1.5Mbit/s".
type Rate int64

var rateUnits = []struct {
	name string
	bits float64
}{{"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}, {"bit", 1}}

// UnmarshalText reads a rate above 0, with its unit.
func (r *Rate) UnmarshalText(text []byte) error {
	digits := strings.TrimSuffix(strings.ToLower(string(text)), "/s")
	for _, u := range rateUnits {
		rest, found := strings.CutSuffix(digits, u.name)
		if !found {
			continue
		}
		n, err := number(rest)
		if n *= u.bits; err != nil || n < 1 || n >= 1<<53 {
			break
		}
		*r = Rate(n)
		return nil
	}
	return fmt.Errorf("%q is no rate such as 10mbit: want a number above 0 with kbit, mbit or gbit (a second)", text)
}

// Share is a share of the packets, from 0 to 1. It is read from texts such as "3%".
type Share float64

// UnmarshalText reads a percentage.
func (s *Share) UnmarshalText(text []byte) error {
	digits, found := strings.CutSuffix(string(text), "%")
	n, err := number(digits)
	if err != nil || !found && n != 0 || n > 100 {
		return fmt.Errorf("%q is no share such as 3%%: want a number from 0 to 100 with %%", text)
	}
	*s = Share(n / 100)
	return nil
}

// number reads a decimal number that is not negative.
func number(text string) (float64, error) {
	n, err := strconv.ParseFloat(text, 64)
	if err == nil && (n < 0 || math.IsInf(n, 0) || math.IsNaN(n)) {
		err = strconv.ErrRange
	}
	return n, err
}
