package httpapi

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"sort"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/bsn"
	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/kit"
	"noorderhub.nl/hub/libs/token/jws"
)

// maxCommand bounds the body of a command other than a delivery, in bytes.
const maxCommand = 64 << 10

// object reads a JSON object by the exact names of its members and collects every fault with its JSON pointer. Members
// that it does not know, and members that stand twice at any level, are faults.
type object struct {
	members jws.Object
	at      string
	read    map[string]bool
	faults  *[]errs.Field
}

// readBody takes the body of a command apart.
func readBody(r *http.Request) (object, error) {
	if err := kit.MediaType(r, "application/json"); err != nil {
		return object{}, err
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, maxCommand+1))
	switch {
	case err != nil:
		return object{}, kit.BodyError(err)
	case len(text) > maxCommand:
		return object{}, errs.CodeTooLarge.New("the limit is %d bytes", maxCommand)
	}
	members, err := jws.ParseObject(text)
	if err != nil {
		return object{}, errs.CodeInvalid.Wrap(err, "the body is not one JSON object in UTF-8 with each member once")
	}
	return object{members: members, read: map[string]bool{}, faults: &[]errs.Field{}}, nil
}

func (o object) fault(name, code, reason string) {
	*o.faults = append(*o.faults, errs.Field{Name: o.at + "/" + name, Code: code, Reason: reason})
}

// value decodes a member; ok is false when it is absent or of another type. null is of another type.
func (o object) value(name string, required bool, dst any, want string) bool {
	o.read[name] = true
	raw, there := o.members[name]
	switch {
	case !there && required:
		o.fault(name, "required", "is required")
		return false
	case !there:
		return false
	case string(raw) == "null" || json.Unmarshal(raw, dst) != nil:
		o.fault(name, "type", "must be "+want)
		return false
	}
	return true
}

// rule is a demand on a text; reason tells the caller what is expected.
type rule struct {
	good   func(string) bool
	reason string
}

func (o object) text(name string, required bool, rules ...rule) string {
	var s string
	if !o.value(name, required, &s, "a string") {
		return ""
	}
	for _, r := range rules {
		if !r.good(s) {
			o.fault(name, "format", r.reason)
			return ""
		}
	}
	return s
}

func (o object) integer(name string, least, most int64, reason string) int64 {
	var n int64
	if o.value(name, true, &n, "a whole number") && (n < least || n > most) {
		o.fault(name, "range", reason)
	}
	return n
}

// moment reads a date-time in UTC, cut to what is stored.
func (o object) moment(name string) time.Time {
	s := o.text(name, false)
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() > 9000 {
		o.fault(name, "date-time", "must be a date-time such as 2026-01-31T12:00:00Z")
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// object gives a nested object; where it is absent, its required members are faults too.
func (o object) object(name string) object {
	nested := object{members: jws.Object{}, at: o.at + "/" + name, read: map[string]bool{}, faults: o.faults}
	o.value(name, true, &nested.members, "an object")
	return nested
}

// end adds the members that nobody asked for.
func (o object) end() {
	var unknown []string
	for name := range o.members {
		if !o.read[name] {
			unknown = append(unknown, name)
		}
	}
	sort.Strings(unknown)
	for _, name := range unknown {
		if len(name) > 64 {
			name = strings.ToValidUTF8(name[:64], "")
		}
		o.fault(strings.NewReplacer("~", "~0", "/", "~1").Replace(name), "unknown", "is not a member of this body")
	}
}

// err gives all faults as one refusal.
func (o object) err() error {
	o.end()
	if len(*o.faults) == 0 {
		return nil
	}
	return errs.CodeInvalid.New("%d fault(s) in the body", len(*o.faults)).WithFields(*o.faults...)
}

func oneOf(values ...string) rule {
	return rule{func(s string) bool {
		for _, v := range values {
			if s == v {
				return true
			}
		}
		return false
	}, "must be one of " + strings.Join(values, ", ")}
}

func pattern(re, reason string) rule {
	compiled := regexp.MustCompile(re)
	return rule{compiled.MatchString, reason}
}

// noBSN refuses texts with a number that can be a BSN: what they go into is kept for years and shown to many.
var noBSN = rule{func(s string) bool { return !holdsBSN(s) }, "holds a number that can be a BSN"}

var digits = regexp.MustCompile(`[0-9]+`)

func holdsBSN(s string) bool {
	for _, run := range digits.FindAllString(s, -1) {
		if len(run) == 8 {
			run = "0" + run // written without its leading zero
		}
		if _, err := bsn.Parse(run); err == nil {
			return true
		}
	}
	return false
}
