package audit

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"noorderhub.nl/hub/libs/oin"
)

const (
	maxText   = 255      // bytes of an id or a name
	maxReason = 1000     // bytes; more is cut, for what a person writes never stands in the way of the record
	maxDetail = 16 << 10 // bytes
	maxReader = 200      // organisations; the hub has some dozens
	hexSHA256 = 64
)

// prepare fills in what the caller left to the log, and tells all that is wrong with the rest.
func (r *Record) prepare(sequence int64, now time.Time) error {
	r.Sequence = sequence
	if r.At.IsZero() {
		r.At = now
	}
	r.At = r.At.UTC().Truncate(time.Microsecond)
	if r.ID == "" {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		r.ID = id.String()
	}
	r.Organisations = slices.Compact(slices.Sorted(slices.Values(r.Organisations)))
	r.Reason = shorten(withoutSecrets(r.Reason))
	detail, errDetail := cleanDetail(r.Detail)
	r.Detail = detail
	return errors.Join(errDetail, r.check())
}

func (r *Record) check() error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("audit record: "+format, args...))
	}
	if id, err := uuid.Parse(r.ID); err != nil || id.Version() != 7 || id.String() != r.ID {
		fault("id is not a UUIDv7")
	}
	if !slices.Contains(Acts(), r.Act) {
		fault("act %q is not on the list", r.Act)
	}
	if !slices.Contains([]Outcome{Succeeded, Refused, Failed}, r.Outcome) {
		fault("outcome %q is unknown", r.Outcome)
	}
	if r.Outcome == Refused && r.Reason == "" {
		fault("a refusal has a reason")
	}
	if r.Actor.Person+r.Actor.Client+r.Actor.Part == "" {
		fault("nobody acted")
	}
	if r.Actor.Person+r.Actor.Client != "" && r.Actor.Organisation == "" {
		fault("the actor has no organisation")
	}
	if r.Subject.Kind == "" || r.Subject.ID == "" {
		fault("nothing was acted on")
	}
	for _, o := range append([]oin.OIN{r.Actor.Organisation}, r.Organisations...) {
		if _, err := oin.Parse(o.String()); err != nil && o != "" {
			fault("organisation: %w", err)
		}
	}
	if len(r.Organisations) > maxReader {
		fault("%d organisations may read it, at most %d", len(r.Organisations), maxReader)
	}
	for name, text := range map[string]string{
		"person": r.Actor.Person, "client": r.Actor.Client, "part": r.Actor.Part, "role": r.Actor.Role, "acr": r.Actor.SignIn.ACR,
		"origin": r.Origin, "subject kind": r.Subject.Kind, "subject id": r.Subject.ID, "transaction id": r.TransactionID, "trace id": r.TraceID,
	} {
		if len(text) > maxText || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
			fault("%s is too long or holds control characters", name)
		}
	}
	for name, hash := range map[string]string{"before": r.Before, "after": r.After, "session": r.Actor.SignIn.Session} {
		if raw, err := hex.DecodeString(hash); hash != "" && (err != nil || len(hash) != hexSHA256 || hex.EncodeToString(raw) != hash) {
			fault("%s is not a SHA-256 in hex", name)
		}
	}
	return errors.Join(faults...)
}

// shorten makes one line of at most maxReason bytes.
func shorten(text string) string {
	text = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, "�"))
	if len(text) <= maxReason {
		return text
	}
	const more = "…"
	cut := maxReason - len(more)
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + more
}

// cleanDetail gives the detail as it is logged: compact, and without what looks like a secret.
func cleanDetail(detail json.RawMessage) (json.RawMessage, error) {
	if len(detail) == 0 {
		return nil, nil
	}
	var object map[string]any
	decoder := json.NewDecoder(strings.NewReader(string(detail)))
	decoder.UseNumber()
	if err := decoder.Decode(&object); err != nil || object == nil || decoder.More() {
		return nil, errors.New("audit record: detail is not a JSON object")
	}
	cleaned, err := json.Marshal(cleanValue(object))
	if err == nil && len(cleaned) > maxDetail {
		err = fmt.Errorf("audit record: detail of %d bytes, at most %d", len(cleaned), maxDetail)
	}
	return cleaned, err
}

func cleanValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = cleanValue(member)
		}
	case []any:
		for i, member := range v {
			v[i] = cleanValue(member)
		}
	case string:
		return withoutSecrets(v)
	}
	return v
}

// hidden stands for what looked like a key or a token.
const hidden = "***"

// withoutSecrets is the last net, for acts that put what somebody sent into their record: a private key or a token never
// becomes part of a log that is kept for years and cannot be changed.
func withoutSecrets(text string) string {
	if strings.Contains(text, "PRIVATE KEY") {
		return hidden
	}
	for word := range strings.FieldsSeq(text) {
		// A JOSE object in compact form begins with {" in base64url.
		if i := strings.Index(word, "eyJ"); i >= 0 && strings.Count(word[i:], ".") >= 2 {
			return hidden
		}
	}
	return text
}
