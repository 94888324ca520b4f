package audit

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"noorderhub.nl/hub/libs/oin"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 123456789, time.FixedZone("CET", 3600))

func good() Record {
	return Record{
		Actor: Actor{Person: "a.jansen", Organisation: "00000099000000002000"}, Act: ContractAccept,
		Subject: Subject{Kind: "contract", ID: "$1$1$x"}, Outcome: Succeeded,
	}
}

func TestEveryActIsOnTheList(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "acts.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []Act
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
			name, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			declared = append(declared, Act(name))
		}
		return true
	})
	slices.Sort(declared)
	if got := Acts(); !slices.Equal(got, declared) {
		t.Errorf("got %v on the list, want %v", got, declared)
	}
	if twice := slices.Compact(slices.Clone(declared)); len(twice) != len(declared) {
		t.Error("two acts have one name")
	}
}

func TestTheLogFillsInWhatWasLeftToIt(t *testing.T) {
	r := good()
	r.Organisations = []oin.OIN{"00000099000000003000", "00000099000000002000", "00000099000000003000"}
	r.Detail = json.RawMessage("{ \"b\": 12345678901234567890, \"a\": [1.0] }")
	if err := r.prepare(7, now); err != nil {
		t.Fatal(err)
	}
	if got, want := r.At.Format(time.RFC3339Nano), "2026-11-23T11:00:00.123456Z"; got != want {
		t.Errorf("at: got %s, want %s", got, want)
	}
	if r.Sequence != 7 || r.ID == "" {
		t.Errorf("got sequence %d, id %q", r.Sequence, r.ID)
	}
	if got, want := r.Organisations, []oin.OIN{"00000099000000002000", "00000099000000003000"}; !slices.Equal(got, want) {
		t.Errorf("organisations: got %v, want %v", got, want)
	}
	if got, want := string(r.Detail), `{"a":[1.0],"b":12345678901234567890}`; got != want {
		t.Errorf("detail: got %s, want %s", got, want)
	}
}

func TestRecordsThatSayTooLittleOrTooMuchAreRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(*Record)
		want  string
	}{
		"an act that is not on the list":    {func(r *Record) { r.Act = "contract.sing" }, `act "contract.sing"`},
		"no outcome":                        {func(r *Record) { r.Outcome = "" }, "outcome"},
		"a refusal without reason":          {func(r *Record) { r.Outcome = Refused }, "reason"},
		"nobody":                            {func(r *Record) { r.Actor = Actor{Organisation: r.Actor.Organisation} }, "nobody acted"},
		"a person of no organisation":       {func(r *Record) { r.Actor.Organisation = "" }, "no organisation"},
		"nothing acted on":                  {func(r *Record) { r.Subject.ID = "" }, "nothing was acted on"},
		"an organisation that is no OIN":    {func(r *Record) { r.Organisations = []oin.OIN{"assen"} }, "organisation"},
		"an id of its own making":           {func(r *Record) { r.ID = "1" }, "UUIDv7"},
		"a name with a line end":            {func(r *Record) { r.Actor.Client = "a\nb" }, "client"},
		"a name that is no text":            {func(r *Record) { r.Actor.Client = "\xff" }, "client"},
		"a name without end":                {func(r *Record) { r.Subject.ID = strings.Repeat("x", 256) }, "subject id"},
		"a hash that is none":               {func(r *Record) { r.Before = "ab" }, "before"},
		"a hash in capitals":                {func(r *Record) { r.After = strings.Repeat("AB", 32) }, "after"},
		"a session that is not hashed":      {func(r *Record) { r.Actor.SignIn.Session = "s3cr3t" }, "session"},
		"a detail that is no object":        {func(r *Record) { r.Detail = json.RawMessage(`[1]`) }, "detail"},
		"a detail of null":                  {func(r *Record) { r.Detail = json.RawMessage(`null`) }, "detail"},
		"a detail with something behind it": {func(r *Record) { r.Detail = json.RawMessage(`{} {}`) }, "detail"},
		"a detail without end":              {func(r *Record) { r.Detail = json.RawMessage(`{"a":"` + strings.Repeat("x", maxDetail) + `"}`) }, "detail"},
	} {
		r := good()
		tc.spoil(&r)
		if err := r.prepare(1, now); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want an error about %s", name, err, tc.want)
		}
	}
	r := good()
	r.Act, r.Outcome, r.Subject.Kind = "", "", ""
	if err := r.prepare(1, now); strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("got %v, want three faults at once", err)
	}
}

func TestWhatAPersonWritesNeverStandsInTheWay(t *testing.T) {
	for name, reason := range map[string]string{
		"a long story": strings.Repeat("ë", 2000), "line ends": "a\r\nb\x00c", "no text": "\xff\xfe", "short": "zie besluit 12",
	} {
		r := good()
		r.Reason = reason
		if err := r.prepare(1, now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(r.Reason) > maxReason || !utf8.ValidString(r.Reason) || strings.ContainsAny(r.Reason, "\r\n\x00") {
			t.Errorf("%s: logged %q", name, r.Reason)
		}
	}
}

func TestKeysAndTokensAreNotLogged(t *testing.T) {
	const jwt = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
	const key = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----"
	r := good()
	r.Reason = "see " + jwt
	detail, err := json.Marshal(map[string]any{"a": []any{map[string]any{"b": key}}, "c": "Bearer " + jwt, "d": "eyJ is no token", "e": 1})
	if err != nil {
		t.Fatal(err)
	}
	r.Detail = detail
	if err := r.prepare(1, now); err != nil {
		t.Fatal(err)
	}
	if got, want := string(r.Detail)+r.Reason, `{"a":[{"b":"***"}],"c":"***","d":"eyJ is no token","e":1}***`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestALogNeedsASignerAndAClock(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("made without")
	}
}
