// Package oin holds the organisation identification number (OIN) of the Dutch government: 20 characters that name an
// organisation in certificates, contracts and logs. An OIN is an opaque string; nothing is ever derived from its parts,
// because one organisation may be known under several (a merger, RSIN beside KvK).
package oin

import (
	"errors"
	"fmt"
	"regexp"
)

// OIN is a checked number, e.g. "00000001002220647000". The zero value is no OIN.
type OIN string

// ErrInvalid is the cause of every refusal of Parse.
var ErrInvalid = errors.New("not an OIN")

// shapes holds the form per prefix as the OIN rules of Logius state it. A prefix without an entry is unknown.
var shapes = map[string]*regexp.Regexp{
	"00000001": regexp.MustCompile(`^[0-9]{9}000$`),    // RSIN
	"00000002": regexp.MustCompile(`^[0-9]{9}000$`),    // fiscal number
	"00000003": regexp.MustCompile(`^[0-9]{8}0000$`),   // KvK
	"00000004": regexp.MustCompile(`^[0-9]{9}000$`),    // SubOIN
	"00000006": regexp.MustCompile(`^[0-9A-Z]{9}000$`), // issued by Logius
	"00000007": regexp.MustCompile(`^[0-9A-Z]{9}000$`), // BRIN
	"00000008": regexp.MustCompile(`^[0-9A-Z]{9}000$`), // foreign
	"00000009": regexp.MustCompile(`^[0-9A-Z]{9}000$`), // Dezi care providers
	"00000010": regexp.MustCompile(`^[0-9A-Z]{9}000$`), // TRR
	"00000011": regexp.MustCompile(`^[0-9A-Z]{9}000$`), // Dezi insurers
	testPrefix: regexp.MustCompile(`^[0-9A-Z]{9}000$`), // anyone may use it
}

const (
	length     = 20
	rsinPrefix = "00000001"
	testPrefix = "00000099"
)

// Parse checks s: length, a known prefix, the shape that belongs to it and, for an RSIN, the 11-test (OIN-02).
func Parse(s string) (OIN, error) {
	if len(s) != length {
		return "", fmt.Errorf("%w: %d characters, want %d", ErrInvalid, len(s), length)
	}
	prefix, rest := s[:8], s[8:]
	shape, known := shapes[prefix]
	if !known {
		return "", fmt.Errorf("%w: unknown prefix", ErrInvalid)
	}
	if !shape.MatchString(rest) {
		return "", fmt.Errorf("%w: number or suffix does not fit prefix %s", ErrInvalid, prefix)
	}
	if prefix == rsinPrefix && !elevenTest(rest[:9]) {
		return "", fmt.Errorf("%w: the RSIN fails the 11-test", ErrInvalid)
	}
	return OIN(s), nil
}

// String gives the 20 characters.
func (o OIN) String() string { return string(o) }

// Test tells whether o is from the range that anyone may use for tests (00000099…).
func (o OIN) Test() bool { return len(o) == length && o[:8] == testPrefix }

// UnmarshalText parses, so that JSON and YAML never hold an unchecked OIN.
func (o *OIN) UnmarshalText(b []byte) error {
	parsed, err := Parse(string(b))
	if err != nil {
		return err
	}
	*o = parsed
	return nil
}

// elevenTest weighs the digits 9..2 and the last one -1; the sum must be a multiple of 11.
func elevenTest(digits string) bool {
	sum := 0
	for i, c := range digits {
		weight := 9 - i
		if weight == 1 {
			weight = -1
		}
		sum += int(c-'0') * weight
	}
	return sum%11 == 0
}
