package gateway_test

import (
	"testing"
	"time"

	"noorderhub.nl/hub/libs/token"
	journal "noorderhub.nl/hub/services/journal/api"
)

func TestACallGoesThroughTheWholeChain(t *testing.T) {
	r := newRig(t)
	got := r.get(path+"?postcode=9400AA&huisnummer=1", r.token(nil))
	if got.StatusCode != 200 || string(got.body) != "moi" {
		t.Fatalf("got %d %q, want 200 moi", got.StatusCode, got.body)
	}
	id := got.Header.Get("Fsc-Transaction-Id")
	if len(id) != 36 || id[14] != '7' {
		t.Errorf("got transaction id %q, want a UUIDv7", id)
	}
	if by := got.Header.Get("Noorderhub-Answered-By"); by != "service" {
		t.Errorf("got answered by %q, want service", by)
	}
	if got.Header.Get("Traceparent") == "" {
		t.Error("no traceparent in the answer")
	}

	calls := r.calls()
	if len(calls) != 1 {
		t.Fatalf("the service got %d calls, want 1", len(calls))
	}
	in := calls[0]
	if in.URL.RequestURI() != path+"?postcode=9400AA&huisnummer=1" {
		t.Errorf("the service got %q", in.URL.RequestURI())
	}
	if in.Header.Get("Fsc-Transaction-Id") != id || in.Header.Get("Traceparent") == "" {
		t.Errorf("transaction id or trace context is missing: %v", in.Header)
	}
	verifyCallToken(t, r, bearerOf(in))

	records := r.records(id, 2)
	decision, outcome := records[0].Decision, records[1].Outcome
	if decision == nil || outcome == nil {
		t.Fatalf("got records %+v, want a decision and an outcome", records)
	}
	if !decision.Permit || decision.GrantHash != grantHash || decision.Source.OutwayPeerID != assen || decision.Purpose != "vergunning" ||
		decision.Operation != "zoek" || decision.ContractHash != "$1$1$contract" || decision.ClientID != "client-1" {
		t.Errorf("got decision %+v", decision)
	}
	if outcome.Status != 200 || outcome.AnsweredBy != "service" || outcome.ResponseBytes != 3 || outcome.DurationUS <= 0 {
		t.Errorf("got outcome %+v", outcome)
	}
	if records[0].SpanID != records[1].SpanID || records[0].Kind != journal.KindDecision {
		t.Error("decision and outcome do not belong together")
	}
}

func verifyCallToken(t *testing.T, r *rig, raw string) {
	t.Helper()
	keys := token.Keys{}
	for _, k := range r.source.Current().Keys {
		if k.Part == "gateway" {
			parsed, err := token.ParseKeys(k.JWKS)
			if err != nil {
				t.Fatal(err)
			}
			keys = parsed
		}
	}
	v, err := token.NewVerifier(token.Options{Type: token.TypeCall, Issuer: hub, Keys: keys, MaxLife: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	claims, err := v.Verify(raw, hub+"/bag")
	if err != nil {
		t.Fatalf("the call token does not verify: %v", err)
	}
	if claims.PeerID != assen || claims.ClientID != "client-1" || claims.GrantHash != grantHash || !claims.HasScope("bag.lezen") {
		t.Errorf("got call token %+v", claims)
	}
}
