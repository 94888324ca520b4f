package cases_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/sqldb/sqldbtest"
	"noorderhub.nl/hub/services/cases/api"
	registry "noorderhub.nl/hub/services/registry/api"
)

// chain gives the types and signers of a transfer's receipts, checked as anybody can.
func (r *rig) chain(id string) []string {
	r.t.Helper()
	bundle := must[api.Bundle](r.t)(r.as(groningen, groningenOwn).Receipts(r.t.Context(), id))
	receipts, err := api.VerifyReceipts(bundle, api.Trust{Anchors: r.material.ca.Pool(), Hub: hubOIN})
	if err != nil {
		r.t.Fatal(err)
	}
	var got []string
	for _, receipt := range receipts {
		got = append(got, receipt.Type+" "+receipt.Actor)
	}
	return got
}

func TestEveryEndHasAReceiptOfWhoAnswersForIt(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		do := must[api.Transfer](t)
		withdrawn := r.at(api.StateAccepted)
		do(r.sender().Withdraw(t.Context(), withdrawn, 0, "vergissing"))
		refused := r.at(api.StateDelivered)
		got := do(r.receiver().Refuse(t.Context(), refused, 0, api.Refuse{Code: api.RefusedIncomplete, Reason: "bijlage ontbreekt"}))
		if got.State != api.StateRefused || got.Code != api.RefusedIncomplete || got.WaitsFor != "" {
			t.Errorf("refused: got %+v", got)
		}
		if got := r.ask(r.receiver(), http.MethodGet, "/uitwisselingen/"+refused+"/zaak", ""); got.status != http.StatusConflict {
			t.Errorf("a refused case is read with %d", got.status)
		}
		closed := r.at(api.StateAcknowledged)
		if got := do(r.sender().Transfer(t.Context(), closed)); got.WaitsFor != groningen || !slices.Equal(got.Allowed, []string{api.CommandClose}) {
			t.Errorf("before closing: %+v", got)
		}
		if got := do(r.sender().Close(t.Context(), closed, 0, api.SourceClosed)); got.Source != api.SourceClosed || got.Processed == nil {
			t.Errorf("closed: got %+v", got)
		}
		whole := []string{"aangeboden " + hubOIN, "geaccepteerd " + assen, "afgeleverd " + hubOIN, "verwerkt " + assen, "gesloten " + groningen}
		for _, tc := range []struct {
			id   string
			want []string
		}{
			{withdrawn, []string{whole[0], whole[1], "ingetrokken " + groningen}},
			{refused, []string{whole[0], whole[1], whole[2], "geweigerd " + assen}},
			{closed, whole},
		} {
			if got := r.chain(tc.id); !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		}
	})
}

// The timer of the running service does it: nobody asks for anything.
func TestTheTimerExpiresAndCloses(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		waiting, done := r.at(api.StateAccepted), r.at(api.StateAcknowledged)
		page, err := r.receiver().Events(t.Context(), "", 0)
		if err != nil {
			t.Fatal(err)
		}
		for id := range r.snapshots.current.Load().Grants { // the feed is read long after: keep the agreements in force
			r.snapshots.change(func(s *registry.Snapshot) { s.Grants[id].NotAfter = time.Now().Add(365 * 24 * time.Hour) })
		}
		r.clock.Store(int64(31 * 24 * time.Hour))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var seen []string
		cursor := page.Next
		for len(seen) < 2 {
			next, err := r.receiver().Events(ctx, cursor, 5*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range next.Events {
				seen = append(seen, e.Type+" "+e.Subject)
			}
			cursor = next.Next
		}
		slices.Sort(seen)
		if want := []string{api.EventPrefix + "gesloten " + done, api.EventPrefix + "verlopen " + waiting}; !slices.Equal(seen, want) {
			t.Errorf("events: got %v, want %v", seen, want)
		}
		if got := r.chain(waiting); got[len(got)-1] != "verlopen "+hubOIN {
			t.Errorf("expired: receipts %v", got)
		}
		if got := r.chain(done); got[len(got)-1] != "gesloten "+hubOIN {
			t.Errorf("closed by the hub: receipts %v", got)
		}
		r.clock.Store(int64(39 * 24 * time.Hour))
		for destroyed := false; !destroyed; {
			next, err := r.receiver().Events(ctx, cursor, 5*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			destroyed = slices.ContainsFunc(next.Events, func(e api.Event) bool { return e.Type == api.EventPrefix+api.TypeDestroyed && e.Subject == done })
			cursor = next.Next
		}
		if got := r.chain(done); got[len(got)-1] != "vernietigd "+hubOIN {
			t.Errorf("destroyed: receipts %v", got)
		}
		if got := r.ask(r.receiver(), http.MethodGet, "/uitwisselingen/"+done+"/zaak", ""); got.status != http.StatusGone || got.code() != "case-destroyed" {
			t.Errorf("a destroyed case is read with %d %s", got.status, got.body)
		}
	})
}

func TestAKeyAndATrialOverHTTP(t *testing.T) {
	r := newRig(t, sqldbtest.SQLite(t))
	id := newID()
	trial := must[api.Transfer](t)(r.sender().Try(t.Context(), id, newOffer(assen)))
	if !trial.Trial || trial.Receipt != "" || trial.State != api.StateOffered {
		t.Errorf("trial: got %+v", trial)
	}
	if _, err := r.sender().Transfer(t.Context(), id); errs.As(err).Code.ID != "transfer-not-found" {
		t.Errorf("a trial left something: %v", err)
	}
	id = r.at(api.StateOffered)
	accept := func(key string) answer {
		return r.ask(r.receiver(), http.MethodPost, "/uitwisselingen/"+id+"/acceptatie", "", "Idempotency-Key", key)
	}
	if first, again := accept("a-1"), accept("a-1"); first.status != 200 || again.status != 200 || first.body != again.body {
		t.Errorf("got %d %s\nthen %d %s", first.status, first.body, again.status, again.body)
	}
	if got := r.ask(r.receiver(), http.MethodPost, "/uitwisselingen/"+id+"/afwijzing", `{"reden":"x"}`, "Idempotency-Key", "a-1"); got.status != 422 || got.code() != "idempotency-key-reused" {
		t.Errorf("another command: got %d %s", got.status, got.body)
	}
	if got := accept("met spatie"); got.status != http.StatusBadRequest {
		t.Errorf("a malformed key: got %d", got.status)
	}
	if got := r.ask(r.sender(), http.MethodPut, "/uitwisselingen/"+newID()+"?proef=ja", jsonOf(t, newOffer(assen))); got.status != http.StatusBadRequest {
		t.Errorf("proef=ja: got %d", got.status)
	}
}
