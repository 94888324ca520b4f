package oin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"noorderhub.nl/hub/libs/oin"
)

func ExampleParse() {
	o, err := oin.Parse("00000001825783434000")
	fmt.Println(o, o.Test(), err)
	// Output: 00000001825783434000 false <nil>
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		ok       bool
	}{
		{"the municipality of Utrecht by its RSIN", "00000001002220647000", true},
		{"a SubOIN", "00000004194049711000", true},
		{"a test number", "00000099000000001000", true},
		{"a test number with letters", "0000009900000000A000", true},
		{"a KvK number has eight digits and four zeros", "00000003123456780000", true},
		{"a KvK number with nine digits is refused", "00000003123456789000", false},
		{"a fabricated number fails the 11-test", "00000001001700887000", false},
		{"letters in an RSIN are refused", "0000000100222064A000", false},
		{"lower case is refused", "0000009900000000a000", false},
		{"a wrong suffix is refused", "00000099000000001001", false},
		{"an unknown prefix is refused", "00000055000000001000", false},
		{"19 characters are refused", "0000009900000000100", false},
		{"21 characters are refused", "000000990000000010000", false},
		{"a newline at the end is refused", "0000009900000000100\n", false},
		{"nothing is refused", "", false},
		{"other digits of Unicode are refused", "00000099٠٠٠٠٠٠", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := oin.Parse(tt.in)
			if tt.ok != (err == nil) {
				t.Fatalf("got error %v, want ok %v", err, tt.ok)
			}
			if tt.ok && got.String() != tt.in {
				t.Errorf("got %q, want %q", got, tt.in)
			}
			if !tt.ok && (!errors.Is(err, oin.ErrInvalid) || got != "") {
				t.Errorf("got %q, %v; want no OIN and ErrInvalid", got, err)
			}
		})
	}
}

func TestJSONNeverHoldsAnUncheckedNumber(t *testing.T) {
	var v struct{ OIN oin.OIN }
	if err := json.Unmarshal([]byte(`{"OIN":"123"}`), &v); err == nil {
		t.Error("a wrong number was taken from JSON")
	}
	if err := json.Unmarshal([]byte(`{"OIN":"00000099000000001000"}`), &v); err != nil || !v.OIN.Test() {
		t.Errorf("got %v, %v; want a test number", v.OIN, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("00000099000000001000")
	f.Fuzz(func(t *testing.T, s string) {
		if o, err := oin.Parse(s); err == nil && (o.String() != s || len(s) != 20) {
			t.Errorf("parsed %q into %q", s, o)
		}
	})
}
