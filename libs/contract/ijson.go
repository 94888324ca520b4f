package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gowebpki/jcs"
)

// Limits of what is parsed at all.
const (
	maxSize  = 1 << 20 // bytes of one contract; FSC recommends at most 1 MB of properties
	maxDepth = 32      // nested objects and arrays
	// maxDigits are the significant digits that survive a double unchanged; a longer number could be altered without
	// altering its canonical form, and so the hash.
	maxDigits  = 15
	maxInteger = 1<<53 - 1 // RFC 7493 §2.2
)

// canonical checks that raw is I-JSON (RFC 7493) within the limits and gives its canonical form (RFC 8785).
func canonical(raw []byte) ([]byte, error) {
	if err := checkIJSON(raw); err != nil {
		return nil, err
	}
	return jcs.Transform(raw)
}

// checkIJSON refuses what two parsers could read differently: duplicate keys, broken UTF-8, lone surrogates,
// noncharacters, numbers that a double cannot hold.
func checkIJSON(raw []byte) error {
	switch {
	case len(raw) > maxSize:
		return fmt.Errorf("%d bytes of JSON, at most %d allowed", len(raw), maxSize)
	case !utf8.Valid(raw):
		return errors.New("not UTF-8")
	case !json.Valid(raw):
		return errors.New("not JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := checkValue(dec, 0); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return checkStrings(raw)
}

func checkValue(dec *json.Decoder, depth int) error {
	token, err := dec.Token()
	if err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	switch v := token.(type) {
	case json.Number:
		return checkNumber(v.String())
	case json.Delim:
		if depth == maxDepth {
			return fmt.Errorf("nested deeper than %d", maxDepth)
		}
		if v == '{' {
			return checkObject(dec, depth+1)
		}
		return checkArray(dec, depth+1)
	}
	return nil
}

func checkObject(dec *json.Decoder, depth int) error {
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return fmt.Errorf("not JSON: %w", err)
		}
		key, _ := token.(string)
		if seen[key] {
			return fmt.Errorf("duplicate key %q", key)
		}
		seen[key] = true
		if err := checkValue(dec, depth); err != nil {
			return err
		}
	}
	return closeDelim(dec)
}

func checkArray(dec *json.Decoder, depth int) error {
	for dec.More() {
		if err := checkValue(dec, depth); err != nil {
			return err
		}
	}
	return closeDelim(dec)
}

func closeDelim(dec *json.Decoder) error {
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	return nil
}

func checkNumber(text string) error {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(f) > maxInteger {
		return fmt.Errorf("number %.40s is larger than I-JSON allows", text)
	}
	mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
	if mantissa == text && !strings.Contains(text, ".") {
		return nil
	}
	digits := strings.Trim(strings.NewReplacer("-", "", ".", "").Replace(mantissa), "0")
	if len(digits) > maxDigits || f == 0 && digits != "" || f != 0 && math.Abs(f) < math.SmallestNonzeroFloat64*(1<<52) {
		return fmt.Errorf("number %.40s has more digits than a double keeps", text)
	}
	return nil
}

// checkStrings walks the string literals of valid JSON. encoding/json replaces lone surrogates silently, so that only
// the raw text still shows them.
func checkStrings(raw []byte) error {
	inString := false
	for i := 0; i < len(raw); {
		switch c := raw[i]; {
		case c == '"':
			inString = !inString
			i++
		case !inString || c != '\\':
			r, size := utf8.DecodeRune(raw[i:])
			if noncharacter(r) {
				return fmt.Errorf("noncharacter U+%04X", r)
			}
			i += size
		case raw[i+1] != 'u':
			i += 2
		default:
			r, size := escaped(raw[i:])
			if size == 0 {
				return errors.New("lone surrogate")
			}
			if noncharacter(r) {
				return fmt.Errorf("noncharacter U+%04X", r)
			}
			i += size
		}
	}
	return nil
}

// escaped reads \uXXXX or a surrogate pair at the start of s; size 0 means a lone surrogate.
func escaped(s []byte) (r rune, size int) {
	hex := func(at int) rune {
		if len(s) < at+6 || s[at] != '\\' || s[at+1] != 'u' {
			return -1
		}
		v, err := strconv.ParseUint(string(s[at+2:at+6]), 16, 16)
		if err != nil {
			return -1
		}
		return rune(v)
	}
	high := hex(0)
	switch {
	case high < 0xD800 || high > 0xDFFF:
		return high, 6
	case high > 0xDBFF:
		return 0, 0
	}
	low := hex(6)
	if low < 0xDC00 || low > 0xDFFF {
		return 0, 0
	}
	return (high-0xD800)<<10 | (low - 0xDC00) + 0x10000, 12
}

func noncharacter(r rune) bool { return r&0xFFFE == 0xFFFE || r >= 0xFDD0 && r <= 0xFDEF }
