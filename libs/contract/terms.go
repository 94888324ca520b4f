package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// termPrefix is the hub's extension name in the properties of a grant.
const termPrefix = "noorderhub."

// Values of Terms.Binding: how a token must be bound to its client.
const (
	BindingNone = "none"
	BindingAny  = "any" // DPoP or mTLS, the client chooses
	BindingMTLS = "mtls"
)

// Values of Terms.Logging.
const (
	LoggingRequired = "required" // no call without its durable record
	LoggingOpen     = "open"     // a call goes on when its record is lost; never for personal data
)

// Terms are the hub's properties of a grant. The zero value of a field means that the contract does not state it.
type Terms struct {
	Purpose            string
	LegalBasis         string              // GDPR article 6, e.g. "Wet BAG, artikel 32"
	ProcessingActivity string              // absolute URI in the consumer's register
	Scopes             []string            // at least one
	Fields             map[string][]string // operation id → dotted paths that may be answered
	Binding            string
	Rate               int // calls per second
	Quota              int // calls per day
	CacheSeconds       int // how long an answer may be kept; 0: not at all
	Logging            string
	Tariff             string // reference to a published tariff
}

// Bounds of the numbers, so that a slip of the pen is seen before it is signed.
const (
	maxRate  = 100_000
	maxQuota = 1_000_000_000
	maxCache = 86_400
)

var (
	scopeName   = regexp.MustCompile(`^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$`)
	fieldPath   = regexp.MustCompile(`^[A-Za-z_@][A-Za-z0-9_@-]*(\.[A-Za-z_@][A-Za-z0-9_@-]*)*$`)
	operationID = regexp.MustCompile(`^[A-Za-z0-9_.~-]{1,128}$`)
	plainText   = regexp.MustCompile(`^[^\p{Cc}\p{Cf}]{1,500}$`)
)

// CompleteFor fills what the terms leave open (binding `any` where personal data is, else `none`; logging `required`)
// and refuses terms that do not suit the data of the service.
func (t Terms) CompleteFor(personal bool) (Terms, error) {
	var faults []error
	if t.Purpose == "" {
		faults = append(faults, errors.New(termPrefix+"purpose: missing"))
	}
	if len(t.Scopes) == 0 {
		faults = append(faults, errors.New(termPrefix+"scopes: missing"))
	}
	if personal {
		faults = append(faults, t.checkPersonal()...)
	}
	if t.Logging == "" {
		t.Logging = LoggingRequired
	}
	if t.Binding == "" {
		t.Binding = BindingNone
		if personal {
			t.Binding = BindingAny
		}
	}
	return t, errors.Join(faults...)
}

func (t Terms) checkPersonal() []error {
	var faults []error
	if t.LegalBasis == "" {
		faults = append(faults, errors.New(termPrefix+"legal_basis: missing, the service answers with personal data"))
	}
	if t.ProcessingActivity == "" {
		faults = append(faults,
			errors.New(termPrefix+"processing_activity_id: missing, the service answers with personal data"))
	}
	if t.Logging == LoggingOpen {
		faults = append(faults, errors.New(termPrefix+"logging: \"open\" is never allowed for personal data"))
	}
	if t.CacheSeconds > 0 {
		faults = append(faults, errors.New(termPrefix+"cache: answers with personal data are never kept"))
	}
	return faults
}

func readTerms(r reader) Terms {
	var t Terms
	for _, key := range sortedKeys(r.fields) {
		if !propertyName.MatchString(key) {
			r.fault(key, "not a property name: extension.key")
			continue
		}
		if strings.HasPrefix(key, termPrefix) {
			t.read(r, key)
		}
	}
	return t
}

// read takes one hub property; a key that this version does not know is refused, because it could narrow the grant.
func (t *Terms) read(r reader, key string) {
	switch strings.TrimPrefix(key, termPrefix) {
	case "purpose":
		t.Purpose = r.match(key, plainText)
	case "legal_basis":
		t.LegalBasis = r.match(key, plainText)
	case "processing_activity_id":
		t.ProcessingActivity = r.match(key, plainText)
		if u, err := url.Parse(t.ProcessingActivity); err != nil || !u.IsAbs() || u.User != nil {
			r.fault(key, "not an absolute URI")
		}
	case "scopes":
		t.Scopes = r.set(key, scopeName)
	case "fields":
		t.readFields(r, key)
	case "binding":
		t.Binding = r.oneOf(key, BindingNone, BindingAny, BindingMTLS)
	case "logging":
		t.Logging = r.oneOf(key, LoggingRequired, LoggingOpen)
	case "rate":
		t.Rate = r.between(key, 1, maxRate)
	case "quota":
		t.Quota = r.between(key, 1, maxQuota)
	case "cache":
		t.CacheSeconds = r.between(key, 0, maxCache)
	case "tariff":
		t.Tariff = r.match(key, plainText)
	default:
		r.fault(key, "unknown property of the hub")
	}
}

func (t *Terms) readFields(r reader, key string) {
	fields, ok := r.object(key)
	if !ok {
		return
	}
	if len(fields.fields) == 0 {
		r.fault(key, "empty")
	}
	t.Fields = make(map[string][]string, len(fields.fields))
	for _, id := range sortedKeys(fields.fields) {
		if !operationID.MatchString(id) {
			fields.fault(id, "not an operation id")
		}
		t.Fields[id] = fields.set(id, fieldPath)
	}
}

// Properties gives the terms as grant properties, the form that stands in a contract. Zero values are left out.
func (t Terms) properties() map[string]any {
	p := map[string]any{}
	put := func(key string, value any, stated bool) {
		if stated {
			p[termPrefix+key] = value
		}
	}
	put("purpose", t.Purpose, t.Purpose != "")
	put("legal_basis", t.LegalBasis, t.LegalBasis != "")
	put("processing_activity_id", t.ProcessingActivity, t.ProcessingActivity != "")
	put("scopes", t.Scopes, len(t.Scopes) > 0)
	put("fields", t.Fields, len(t.Fields) > 0)
	put("binding", t.Binding, t.Binding != "")
	put("rate", t.Rate, t.Rate != 0)
	put("quota", t.Quota, t.Quota != 0)
	put("cache", t.CacheSeconds, t.CacheSeconds != 0)
	put("logging", t.Logging, t.Logging != "")
	put("tariff", t.Tariff, t.Tariff != "")
	return p
}

// Equal tells whether both state the same, whatever the order of scopes and paths.
func (t Terms) Equal(o Terms) bool {
	a, errA := json.Marshal(t.sorted().properties())
	b, errB := json.Marshal(o.sorted().properties())
	return errA == nil && errB == nil && string(a) == string(b)
}

func (t Terms) sorted() Terms {
	t.Scopes = slices.Sorted(slices.Values(t.Scopes))
	fields := make(map[string][]string, len(t.Fields))
	for id, paths := range t.Fields {
		fields[id] = slices.Sorted(slices.Values(paths))
	}
	t.Fields = fields
	return t
}

// set reads a non-empty array of different strings of one shape.
func (r reader) set(key string, shape *regexp.Regexp) []string {
	var list []string
	if !r.decode(key, &list, "an array of strings") {
		return nil
	}
	if len(list) == 0 {
		r.fault(key, "empty")
	}
	for i, s := range list {
		switch {
		case !shape.MatchString(s):
			r.fault(fmt.Sprintf("%s[%d]", key, i), "does not match %s", shape)
		case slices.Contains(list[:i], s):
			r.fault(fmt.Sprintf("%s[%d]", key, i), "stands there twice")
		}
	}
	return list
}

func (r reader) oneOf(key string, allowed ...string) string {
	s := r.text(key)
	if !slices.Contains(allowed, s) {
		r.fault(key, "not one of %s", strings.Join(allowed, ", "))
	}
	return s
}

func (r reader) between(key string, low, high int64) int {
	n := r.integer(key)
	if n < low || n > high {
		r.fault(key, "not from %d to %d", low, high)
	}
	return int(n)
}

func sortedKeys(m map[string]json.RawMessage) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
