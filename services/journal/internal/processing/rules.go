package processing

import (
	"fmt"
	"net/url"
	"regexp"
	"sort"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/bsn"
	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/oin"
)

const (
	maxText  = 512      // bytes of a name or attribute
	maxStack = 16 << 10 // bytes of exception.stacktrace
	// aheadMillis is how far a clock of an application may run ahead of ours.
	aheadMillis = int64(5 * time.Minute / time.Millisecond)
	// earliestMillis is 1 January 2020: before it, a time is in the wrong unit.
	earliestMillis = int64(1577836800000)
)

var (
	traceID = regexp.MustCompile(`^[0-9a-f]{32}$`)
	spanID  = regexp.MustCompile(`^[0-9a-f]{16}$`)
	digits  = regexp.MustCompile(`[0-9]{8,}`)
)

// allowed lists the attributes of a record with their largest size.
var allowed = map[string]int{
	keyActivity: maxText, keySubject: maxText, keySubjectType: maxText, keyProcessor: maxText,
	keyErrorType: maxText, keyErrorMessage: maxText, keyErrorStack: maxStack,
}

// allowedResource lists the attributes of the application.
var allowedResource = map[string]bool{"service.name": true, "service.version": true}

// faults collects what is wrong under one JSON pointer. Values never stand in a fault: they may be personal data.
type faults struct {
	at   string
	list []errs.Field
}

func (f *faults) add(bad bool, name, code, reason string) {
	if bad {
		f.list = append(f.list, errs.Field{Name: f.at + "/" + name, Code: code, Reason: reason})
	}
}

// Check gives every fault of a record, with names below the JSON pointer at. It also puts the record into the form that
// is stored, except for the pseudonym: a default name, exception texts without long digit runs.
func (r *Record) Check(at string, now time.Time) []errs.Field {
	f := &faults{at: at}
	if r.Controller != "" {
		_, err := oin.Parse(r.Controller)
		f.add(err != nil, "verantwoordelijke", "format", "must be an OIN of 20 digits")
	}
	f.add(!isID(traceID, r.TraceID), "trace_id", "format", "must be 32 lower-case hex digits, not all zero")
	f.add(!isID(spanID, r.SpanID), "span_id", "format", "must be 16 lower-case hex digits, not all zero")
	f.add(r.ParentSpanID != "" && !isID(spanID, r.ParentSpanID), "parent_span_id", "format", "must be 16 lower-case hex digits, not all zero")
	f.add(r.Status != "Unset" && r.Status != "Ok" && r.Status != "Error", "status", "enum", "must be Unset, Ok or Error")
	f.times(r, now)
	if r.Name == "" {
		r.Name = defaultName
	}
	f.text("name", r.Name, maxText)
	for _, key := range sorted(r.Resource) {
		name := "resource/attributes/" + pointer(key)
		if !allowedResource[key] {
			f.add(true, name, "unknown", "is not an attribute of the application that the logbook keeps")
			continue
		}
		f.text(name, r.Resource[key], maxText)
	}
	f.attributes(r)
	return f.list
}

func (f *faults) times(r *Record, now time.Time) {
	inRange := func(ms int64) bool { return ms >= earliestMillis && ms <= now.UnixMilli()+aheadMillis }
	f.add(!inRange(r.StartTime), "start_time", "range", "must be milliseconds since 1970, not in the future")
	f.add(!inRange(r.EndTime), "end_time", "range", "must be milliseconds since 1970, not in the future")
	f.add(r.EndTime < r.StartTime, "end_time", "order", "must not be before start_time")
}

func (f *faults) attributes(r *Record) {
	a := r.Attributes
	for _, key := range sorted(a) {
		name := "attributes/" + pointer(key)
		size, known := allowed[key]
		switch {
		case !known:
			f.add(true, name, "unknown", "is not an attribute of Logboek Dataverwerkingen that this logbook keeps")
		case key == keyErrorMessage || key == keyErrorStack:
			f.add(len(a[key]) > size, name, "length", fmt.Sprintf("is longer than %d bytes", size))
			a[key] = maskDigits(a[key])
		case key == keySubject:
			f.subject(r)
		default:
			f.text(name, a[key], size)
		}
	}
	f.add(!absolute(a[keyActivity], ""), "attributes/"+keyActivity, "format", "is required: the URI of a processing activity in the register")
	_, foreign := a[keyProcessor]
	f.add(foreign && !absolute(a[keyProcessor], "https"), "attributes/"+keyProcessor, "format", "must be an https URL without query")
	_, subject := a[keySubject]
	_, kind := a[keySubjectType]
	f.add(subject != kind, "attributes/"+keySubjectType, "required", "goes together with "+keySubject)
	f.add(kind && a[keySubjectType] != subjectBSN && !absolute(a[keySubjectType], ""), "attributes/"+keySubjectType, "format", "must be BSN or a URI")
}

func (f *faults) subject(r *Record) {
	value := r.Attributes[keySubject]
	f.add(value == "" || len(value) > maxText, "attributes/"+keySubject, "length", fmt.Sprintf("must be 1 to %d bytes", maxText))
	if r.Attributes[keySubjectType] == subjectBSN {
		_, err := bsn.Parse(value)
		f.add(err != nil, "attributes/"+keySubject, "format", "must be one BSN: nine digits that pass the 11-test")
	}
}

// text refuses what is too long, has control characters, or holds a BSN.
func (f *faults) text(name, value string, size int) {
	f.add(value == "" || len(value) > size, name, "length", fmt.Sprintf("must be 1 to %d bytes", size))
	f.add(strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c == 0x7f || c == 0xfffd }), name, "characters", "must be text without control characters")
	f.add(holdsBSN(value), name, "personal-data", "holds a number that can be a BSN")
}

// holdsBSN finds a run of exactly nine digits (or eight, without the leading zero) that passes the 11-test. One in eleven
// numbers of that length does by chance; such a number does not belong in a name either. Longer runs, OINs among them,
// are left alone.
func holdsBSN(s string) bool {
	for _, run := range digits.FindAllString(s, -1) {
		if len(run) == 8 {
			run = "0" + run // written without its leading zero
		}
		if len(run) == 9 {
			if _, err := bsn.Parse(run); err == nil {
				return true
			}
		}
	}
	return false
}

// maskDigits takes the digits out of long runs: error texts come from anywhere and must neither be refused nor trusted.
func maskDigits(s string) string {
	return digits.ReplaceAllStringFunc(s, func(run string) string { return strings.Repeat("#", len(run)) })
}

func absolute(s, scheme string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.User != nil || u.RawQuery != "" {
		return false
	}
	if scheme != "" {
		return u.Scheme == scheme && u.Host != ""
	}
	return u.Host != "" || u.Opaque != ""
}

func isID(re *regexp.Regexp, s string) bool { return re.MatchString(s) && strings.Trim(s, "0") != "" }

func sorted(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// pointer escapes a key for a JSON pointer (RFC 6901), cut and cleaned: it is a stranger's text that goes into an answer.
func pointer(key string) string {
	if len(key) > 64 {
		key = key[:64]
	}
	return maskDigits(strings.NewReplacer("~", "~0", "/", "~1").Replace(strings.ToValidUTF8(key, "?")))
}
