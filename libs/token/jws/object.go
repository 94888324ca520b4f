package jws

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxDepth is how deep JSON may nest. Nothing that the hub reads from a token goes deeper than three.
const maxDepth = 16

// Object is a JSON object whose members are looked up by their exact name. encoding/json would also take "EXP" for
// "exp", and the last of two members of the same name.
type Object map[string]json.RawMessage

// ParseObject reads one JSON object and nothing behind it. It refuses a member name that stands twice at any level,
// nesting beyond 16 levels, and text that is not UTF-8.
func ParseObject(text []byte) (Object, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("not UTF-8")
	}
	var o Object
	if err := json.Unmarshal(text, &o); err != nil || o == nil {
		return nil, errors.New("not a JSON object")
	}
	if err := checkNames(text); err != nil {
		return nil, err
	}
	return o, nil
}

// checkNames looks at text that is known to be JSON for what encoding/json lets pass: a member name that stands twice in
// one object, and deep nesting. It runs on every assertion, so it walks the bytes and decodes only names with escapes.
func checkNames(text []byte) error {
	type level struct {
		object bool
		first  int // of its names
	}
	var levels []level
	var names [][]byte // of all levels that are open, one after the other
	name := false      // the next string is one
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '{', '[':
			if len(levels) == maxDepth {
				return errors.New("nested too deep")
			}
			name = c == '{'
			levels = append(levels, level{object: name, first: len(names)})
		case '}', ']':
			own := names[levels[len(levels)-1].first:]
			slices.SortFunc(own, bytes.Compare)
			for k := 1; k < len(own); k++ {
				if bytes.Equal(own[k-1], own[k]) {
					return errors.New("a member name stands twice")
				}
			}
			names, levels, name = names[:len(names)-len(own)], levels[:len(levels)-1], false
		case ',':
			name = levels[len(levels)-1].object
		case '"':
			end := i + 1
			for text[end] != '"' {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			if name {
				names, name = append(names, plain(text[i:end+1])), false
			}
			i = end
		}
	}
	return nil
}

// plain gives what a JSON string says.
func plain(quoted []byte) []byte {
	inside := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inside, '\\') < 0 {
		return inside
	}
	var s string
	_ = json.Unmarshal(quoted, &s) // it is a string: the whole text was read before
	return []byte(s)
}

// Text gives a string member, "" when it is absent. Anything else in its place is an error, null included.
func (o Object) Text(name string) (string, error) {
	raw, ok := o[name]
	if !ok {
		return "", nil
	}
	var s *string
	if err := json.Unmarshal(raw, &s); err != nil || s == nil {
		return "", fmt.Errorf("%s is not a string", name)
	}
	return *s, nil
}

// Texts gives a member that is a string or an array of strings, as "aud" may be (RFC 7519 §4.1.3); nil when it is absent.
// array tells which form it had.
func (o Object) Texts(name string) (values []string, array bool, err error) {
	raw, ok := o[name]
	if !ok {
		return nil, false, nil
	}
	if len(raw) > 0 && raw[0] == '[' {
		var all []*string
		if err := json.Unmarshal(raw, &all); err != nil {
			return nil, true, fmt.Errorf("%s holds something that is not a string", name)
		}
		for _, s := range all {
			if s == nil {
				return nil, true, fmt.Errorf("%s holds null", name)
			}
			values = append(values, *s)
		}
		return values, true, nil
	}
	one, err := o.Text(name)
	return []string{one}, false, err
}

// seconds is a NumericDate that means something: not negative, no exponent, far below the end of int64.
var seconds = regexp.MustCompile(`^[0-9]{1,12}(\.[0-9]{1,9})?$`)

// Date gives a NumericDate (RFC 7519 §2), fractions cut off; the zero time when it is absent. A number in quotes, a
// negative one and one with an exponent are errors.
func (o Object) Date(name string) (time.Time, error) {
	raw, ok := o[name]
	if !ok {
		return time.Time{}, nil
	}
	if !seconds.Match(raw) {
		return time.Time{}, fmt.Errorf("%s is not a number of seconds", name)
	}
	whole, _, _ := strings.Cut(string(raw), ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s is not a number of seconds", name)
	}
	return time.Unix(n, 0), nil
}
