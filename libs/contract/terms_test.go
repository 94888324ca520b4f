package contract_test

import (
	"strings"
	"testing"

	"noorderhub.nl/hub/libs/contract"
)

func TestTermsAreReadStrictly(t *testing.T) {
	for _, tt := range []struct{ name, properties, want string }{
		{"an unknown property of the hub", `"noorderhub.porpose":"x"`, "unknown property of the hub"},
		{"a purpose that is no text", `"noorderhub.purpose":1`, "noorderhub.purpose: not a string"},
		{"a purpose with a control character", `"noorderhub.purpose":"a\u0007"`, "noorderhub.purpose"},
		{"a processing activity that is no URI", `"noorderhub.processing_activity_id":"vth/1"`, "not an absolute URI"},
		{"no scopes", `"noorderhub.scopes":[]`, "noorderhub.scopes: empty"},
		{"a scope twice", `"noorderhub.scopes":["a.b","a.b"]`, "stands there twice"},
		{"a scope with a space", `"noorderhub.scopes":["a.b c.d"]`, "noorderhub.scopes[0]"},
		{"fields that are no object", `"noorderhub.fields":[]`, "noorderhub.fields: not an object"},
		{"fields of no operation", `"noorderhub.fields":{}`, "noorderhub.fields: empty"},
		{"a field path with an index", `"noorderhub.fields":{"op":["a[0].b"]}`, "noorderhub.fields.op[0]"},
		{"an operation with no fields", `"noorderhub.fields":{"op":[]}`, "noorderhub.fields.op: empty"},
		{"an unknown binding", `"noorderhub.binding":"dpop"`, "not one of none, any, mtls"},
		{"an unknown logging", `"noorderhub.logging":"off"`, "not one of required, open"},
		{"a rate of nought", `"noorderhub.rate":0`, "noorderhub.rate: not from 1"},
		{"a rate in quotes", `"noorderhub.rate":"5"`, "noorderhub.rate: not a whole number"},
		{"a quota with a fraction", `"noorderhub.quota":1.5`, "noorderhub.quota: not a whole number"},
		{"a cache of a year", `"noorderhub.cache":31536000`, "noorderhub.cache: not from 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			raw := strings.Replace(vector, `"outway":{`, `"properties":{`+tt.properties+`},"outway":{`, 1)
			_, err := contract.ParseContent([]byte(raw))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestPropertiesOfOtherExtensionsAreKept(t *testing.T) {
	raw := strings.Replace(vector, `"outway":{`, `"properties":{"other.thing":{"a":[1,2]}},"outway":{`, 1)
	c, err := contract.ParseContent([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(c.Grants[0].Properties["other.thing"]), `{"a":[1,2]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTermsSuitTheDataOfTheService(t *testing.T) {
	full := draft().Connections[0].Terms
	full.CacheSeconds = 0
	change := func(f func(*contract.Terms)) contract.Terms {
		terms := full
		f(&terms)
		return terms
	}
	for _, tt := range []struct {
		name     string
		terms    contract.Terms
		personal bool
		want     string // in the error; empty: none
	}{
		{"full terms suit personal data", full, true, ""},
		{"open logging suits public data", change(func(t *contract.Terms) { t.Logging = "open" }), false, ""},
		{"open logging never suits personal data", change(func(t *contract.Terms) { t.Logging = "open" }), true, "logging"},
		{"personal data is never cached", change(func(t *contract.Terms) { t.CacheSeconds = 1 }), true, "cache"},
		{"personal data needs a legal basis", change(func(t *contract.Terms) { t.LegalBasis = "" }), true, "legal_basis"},
		{"personal data needs a processing activity", change(func(t *contract.Terms) { t.ProcessingActivity = "" }), true, "processing_activity_id"},
		{"public data needs a purpose too", change(func(t *contract.Terms) { t.Purpose = "" }), false, "purpose"},
		{"no grant without scopes", change(func(t *contract.Terms) { t.Scopes = nil }), false, "scopes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.terms.CompleteFor(tt.personal)
			if (tt.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestWhatTermsLeaveOpenIsFilledSafely(t *testing.T) {
	terms := contract.Terms{
		Purpose: "p", LegalBasis: "l", ProcessingActivity: "https://r.example.nl/1", Scopes: []string{"zaken.lezen"},
	}
	for personal, binding := range map[bool]string{true: contract.BindingAny, false: contract.BindingNone} {
		got, err := terms.CompleteFor(personal)
		if err != nil {
			t.Fatal(err)
		}
		if got.Binding != binding || got.Logging != contract.LoggingRequired {
			t.Errorf("personal %v: got binding %s and logging %s, want %s and required", personal, got.Binding, got.Logging, binding)
		}
	}
}

func TestEqualTermsAreEqualInAnyOrder(t *testing.T) {
	a, b := draft().Connections[0].Terms, draft().Connections[0].Terms
	a.Scopes, b.Scopes = []string{"bag.lezen", "bag.schrijven"}, []string{"bag.schrijven", "bag.lezen"}
	if !a.Equal(b) {
		t.Error("the order of scopes makes a difference")
	}
	b.Rate++
	if a.Equal(b) {
		t.Error("another rate makes no difference")
	}
}
