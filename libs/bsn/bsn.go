// Package bsn holds the citizen service number (burgerservicenummer). A BSN never stands in a URL, log, span, metric,
// cache key or error: the type prints redacted in every way that fmt, slog and encoding packages know, and the digits
// leave it only by an explicit call.
package bsn

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// BSN is a checked number. The zero value is no BSN.
type BSN struct {
	veiled uint32 // the number xor veil: fmt calls no methods on unexported fields, it would print plain digits
	set    bool
}

// veil differs in every process, so that what leaks through reflection is no number.
var veil = func() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return binary.LittleEndian.Uint32(b[:])
}()

// ErrInvalid is the only error of Parse; it does not repeat the input.
var ErrInvalid = errors.New("not a BSN: nine digits that pass the 11-test")

const redacted = "[bsn]"

// Parse checks s: nine digits, not all zero, weights 9..2 and -1 summing to a multiple of 11.
func Parse(s string) (BSN, error) {
	if len(s) != 9 || s == "000000000" {
		return BSN{}, ErrInvalid
	}
	sum, number := 0, uint32(0)
	for i := range len(s) {
		c := s[i]
		if c < '0' || c > '9' {
			return BSN{}, ErrInvalid
		}
		weight := 9 - i
		if weight == 1 {
			weight = -1
		}
		sum += int(c-'0') * weight
		number = number*10 + uint32(c-'0')
	}
	if sum%11 != 0 {
		return BSN{}, ErrInvalid
	}
	return BSN{veiled: number ^ veil, set: true}, nil
}

// Reveal gives the nine digits. Call it only where the number goes to its lawful destination: a request body, an
// encrypted column, the pseudonymisation.
func (b BSN) Reveal() string {
	if !b.set {
		return ""
	}
	return fmt.Sprintf("%09d", b.veiled^veil)
}

// RevealJSON gives the number as a JSON string, for the same places.
func (b BSN) RevealJSON() []byte { return []byte(`"` + b.Reveal() + `"`) }

// IsZero tells whether b holds no number.
func (b BSN) IsZero() bool { return !b.set }

// String prints redacted.
func (b BSN) String() string { return redacted }

// Format prints redacted for every verb, %#v, %d and %x included.
func (b BSN) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue logs redacted.
func (b BSN) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText refuses, so that a struct with a BSN in it cannot leak through JSON, XML or a map key by accident.
func (b BSN) MarshalText() ([]byte, error) {
	return nil, errors.New("a BSN is not marshalled implicitly")
}

// UnmarshalText parses a number from a body.
func (b *BSN) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*b = parsed
	return nil
}
