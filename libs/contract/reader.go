package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// reader takes typed fields out of one JSON object and collects every fault. It decodes into maps, never into structs:
// encoding/json would take "IV" for the field "iv", and two readers of one contract could then disagree.
type reader struct {
	fields map[string]json.RawMessage
	path   string
	faults *[]error
}

func newReader(raw []byte) reader {
	r := reader{faults: new([]error)}
	if err := json.Unmarshal(raw, &r.fields); err != nil || r.fields == nil {
		r.fault("", "not a JSON object")
	}
	return r
}

func (r reader) fault(key, format string, args ...any) {
	*r.faults = append(*r.faults, fmt.Errorf("%s%s: %s", r.path, key, fmt.Sprintf(format, args...)))
}

func (r reader) err() error { return errors.Join(*r.faults...) }

func (r reader) has(key string) bool {
	_, ok := r.fields[key]
	return ok
}

// decode puts the field into dst, a type without struct fields. A missing field and null are faults.
func (r reader) decode(key string, dst any, want string) bool {
	raw, ok := r.fields[key]
	switch {
	case !ok:
		r.fault(key, "missing")
	case string(raw) == "null" || json.Unmarshal(raw, dst) != nil:
		r.fault(key, "not %s", want)
	default:
		return true
	}
	return false
}

func (r reader) text(key string) (s string) {
	r.decode(key, &s, "a string")
	return s
}

func (r reader) integer(key string) (n int64) {
	r.decode(key, &n, "a whole number")
	return n
}

// object gives a reader of a nested object; where it is missing or none, the fault is noted and its fields are noted too.
func (r reader) object(key string) (nested reader, ok bool) {
	nested = reader{path: r.path + key + ".", faults: r.faults}
	ok = r.decode(key, &nested.fields, "an object")
	return nested, ok
}

// time reads Unix seconds, as FSC writes every time.
func (r reader) time(key string) time.Time {
	n := r.integer(key)
	if n < 0 || n > maxUnix {
		r.fault(key, "not a time in Unix seconds")
	}
	return time.Unix(n, 0).UTC()
}
