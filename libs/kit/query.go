package kit

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"sort"
	"strconv"
	"time"

	"noorderhub.nl/hub/libs/errs"
)

// Query reads query parameters strictly and collects every fault, so that the caller gets them all in one answer
// (/core/error-handling/all-errors). Values never stand in a fault: they may be personal data.
//
//	q := kit.NewQuery(r)
//	req.Postcode = q.String("postcode", kit.Required, kit.Match(postcode, "four digits and two letters"))
//	return q.Err()
type Query struct {
	values url.Values
	read   map[string]bool
	fields []errs.Field
}

// NewQuery takes the query of r apart.
func NewQuery(r *http.Request) *Query {
	q := &Query{read: map[string]bool{}}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		q.fault("", "syntax", "the query string is not well formed")
	}
	q.values = values
	return q
}

// Rule is a demand on one parameter.
type Rule func(value string) (code, reason string)

// Required demands that the parameter is there and not empty.
func Required(value string) (code, reason string) {
	if value == "" {
		return "required", "is required"
	}
	return "", ""
}

// Match demands that a given value matches re; reason tells the caller what is expected.
func Match(re *regexp.Regexp, reason string) Rule {
	return func(value string) (string, string) {
		if value != "" && !re.MatchString(value) {
			return "pattern", reason
		}
		return "", ""
	}
}

// Range demands an integer in [least, most].
func Range(least, most int) Rule {
	return func(value string) (string, string) {
		if value == "" {
			return "", ""
		}
		if n, err := strconv.Atoi(value); err == nil && n < least {
			return "minimum", fmt.Sprintf("is lower than %d", least)
		} else if err == nil && n > most {
			return "maximum", fmt.Sprintf("is higher than %d", most)
		}
		return "", ""
	}
}

// OneOf demands one of the given values.
func OneOf(values ...string) Rule {
	return func(value string) (string, string) {
		for _, v := range values {
			if v == value {
				return "", ""
			}
		}
		if value == "" {
			return "", ""
		}
		return "enum", fmt.Sprintf("must be one of %v", values)
	}
}

// String reads a parameter, "" when it is absent.
func (q *Query) String(name string, rules ...Rule) string {
	q.read[name] = true
	given := q.values[name]
	if len(given) > 1 {
		q.fault(name, "repeated", "may be given once")
		return ""
	}
	value := ""
	if len(given) == 1 {
		if value = given[0]; value == "" {
			q.fault(name, "empty", "has no value")
			return ""
		}
	}
	for _, rule := range rules {
		if code, reason := rule(value); code != "" {
			q.fault(name, code, reason)
			return ""
		}
	}
	return value
}

// Has tells whether a parameter was given.
func (q *Query) Has(name string) bool { return q.values.Has(name) }

// Int reads an integer, 0 when it is absent or wrong.
func (q *Query) Int(name string, rules ...Rule) int {
	return parse(q, name, rules, "integer", "must be an integer", strconv.Atoi)
}

// Bool reads true or false.
func (q *Query) Bool(name string, rules ...Rule) bool {
	return parse(q, name, rules, "boolean", "must be true or false", func(s string) (bool, error) {
		if s != "true" && s != "false" {
			return false, strconv.ErrSyntax
		}
		return s == "true", nil
	})
}

// Time reads an RFC 3339 date-time of any offset and gives it in UTC (/core/date-time/timezone).
func (q *Query) Time(name string, rules ...Rule) time.Time {
	return parse(q, name, rules, "date-time", "must be a date-time such as 2026-01-31T12:00:00Z", func(s string) (time.Time, error) {
		t, err := time.Parse(time.RFC3339, s)
		return t.UTC(), err
	})
}

func parse[T any](q *Query, name string, rules []Rule, code, reason string, conv func(string) (T, error)) T {
	var zero T
	s := q.String(name, rules...)
	if s == "" {
		return zero
	}
	v, err := conv(s)
	if err != nil {
		q.fault(name, code, reason)
		return zero
	}
	return v
}

// Fault adds a fault that only the caller's rules can see, e.g. of two parameters together.
func (q *Query) Fault(name, code, reason string) { q.fault(name, code, reason) }

func (q *Query) fault(name, code, reason string) {
	q.fields = append(q.fields, errs.Field{Name: name, Code: code, Reason: reason})
}

// Fields gives the faults so far, unknown parameters included, for a surface with an error shape of its own.
func (q *Query) Fields() []errs.Field {
	fields := append([]errs.Field(nil), q.fields...)
	var unknown []string
	for name := range q.values {
		if !q.read[name] {
			unknown = append(unknown, name)
		}
	}
	sort.Strings(unknown)
	for _, name := range unknown {
		if len(name) > 64 {
			name = name[:64]
		}
		fields = append(fields, errs.Field{Name: name, Code: "unknown", Reason: "is not a parameter of this operation"})
	}
	return fields
}

// Err gives all faults as one refusal, nil when there are none.
func (q *Query) Err() error {
	fields := q.Fields()
	if len(fields) == 0 {
		return nil
	}
	return errs.CodeInvalid.New("%d fault(s) in the query", len(fields)).WithFields(fields...)
}
