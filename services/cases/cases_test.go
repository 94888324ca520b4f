package cases_test

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/sqldb/sqldbtest"
	"noorderhub.nl/hub/services/cases/api"
)

func each(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) { test(t, newRig(t, dsn)) })
}

func TestACaseIsHandedOverWithReceipts(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		transfer := must[api.Transfer](t)
		sender, receiver, id := r.sender(), r.receiver(), newID()

		offered := transfer(sender.Offer(t.Context(), id, newOffer(assen)))
		if offered.State != api.StateOffered || offered.Role != api.RoleSender || !slices.Equal(offered.Allowed, []string{api.CommandWithdraw}) || offered.Receipt == "" {
			t.Fatalf("after the offer: got %+v", offered)
		}
		if offered.Purpose != "overdragen van vergunningzaken" || offered.GrantHash != toAssen || offered.ContractHash != "$1$1$groningen-assen" {
			t.Errorf("agreement: got %+v", offered)
		}
		seen := transfer(receiver.Transfer(t.Context(), id))
		if want := []string{api.CommandAccept, api.CommandDecline}; !slices.Equal(seen.Allowed, want) || seen.Role != api.RoleReceiver {
			t.Errorf("the receiver may do %v, want %v", seen.Allowed, want)
		}
		accepted := transfer(receiver.Accept(t.Context(), id, seen.Version))
		if accepted.State != api.StateAccepted || accepted.Version != 2 {
			t.Fatalf("after the acceptance: got %+v", accepted)
		}
		if got := transfer(sender.Transfer(t.Context(), id)); !slices.Equal(got.Allowed, []string{api.CommandWithdraw, api.CommandDeliver}) {
			t.Errorf("the sender may do %v, want to deliver", got.Allowed)
		}
		if got := transfer(sender.Deliver(t.Context(), id, 0, []byte(document))); got.State != api.StateDelivered {
			t.Fatalf("after the delivery: got %+v", got)
		}
		body, err := receiver.Case(t.Context(), id)
		if err != nil || string(body) != document {
			t.Fatalf("the case arrived as %q, %v", body, err)
		}
		processed := api.Processed{ID: "ASN-77", URL: "https://zaken.assen.example/zaken/77"}
		done := transfer(receiver.Acknowledge(t.Context(), id, 0, processed))
		if done.State != api.StateAcknowledged || *done.Processed != processed || len(done.Allowed) != 0 {
			t.Fatalf("at the end: got %+v", done)
		}

		for name, client := range map[string]*api.Client{"sender": sender, "receiver": receiver} {
			bundle, err := client.Receipts(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			chain, err := api.VerifyReceipts(bundle, api.Trust{Anchors: r.material.ca.Pool(), Hub: hubOIN})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			var got []string
			for _, receipt := range chain {
				got = append(got, receipt.Type+" "+receipt.Actor)
			}
			want := []string{"aangeboden " + hubOIN, "geaccepteerd " + assen, "afgeleverd " + hubOIN, "verwerkt " + assen}
			if !slices.Equal(got, want) {
				t.Errorf("%s: receipts %v, want %v", name, got, want)
			}
			if *chain[3].Details.Processed != processed || chain[0].Details.Sender != groningen {
				t.Errorf("%s: details %+v", name, chain)
			}
		}
	})
}

func TestEveryRepeatGivesTheOriginalReceiptAlsoAfterARestart(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		id := newID()
		commands := []struct {
			name string
			give func() (api.Transfer, error)
		}{
			{"offer", func() (api.Transfer, error) { return r.sender().Offer(t.Context(), id, newOffer(assen)) }},
			{"accept", func() (api.Transfer, error) { return r.receiver().Accept(t.Context(), id, 1) }},
			{"deliver", func() (api.Transfer, error) { return r.sender().Deliver(t.Context(), id, 2, []byte(document)) }},
			{"acknowledge", func() (api.Transfer, error) {
				return r.receiver().Acknowledge(t.Context(), id, 3, api.Processed{ID: "ASN-77"})
			}},
		}
		var originals []string
		for i, c := range commands {
			first := must[api.Transfer](t)(c.give())
			originals = append(originals, first.Receipt)
			r.stop()
			r.start()
			for j, earlier := range commands[:i+1] {
				again := must[api.Transfer](t)(earlier.give())
				if again.Receipt != originals[j] || again.Version != int64(i+1) {
					t.Errorf("%s again after %s: another receipt, or version %d", earlier.name, c.name, again.Version)
				}
			}
		}
		bundle := must[api.Bundle](t)(r.sender().Receipts(t.Context(), id))
		if !slices.Equal(bundle.Receipts, originals) {
			t.Error("the receipts are not those that were given out")
		}
	})
}

// at brings a new transfer to a state.
func (r *rig) at(state string) string {
	r.t.Helper()
	id, do := newID(), must[api.Transfer](r.t)
	do(r.sender().Offer(r.t.Context(), id, newOffer(assen)))
	switch state {
	case api.StateDeclined:
		do(r.receiver().Decline(r.t.Context(), id, 0, "niet voor ons"))
		return id
	case api.StateWithdrawn:
		do(r.sender().Withdraw(r.t.Context(), id, 0, "vergissing"))
		return id
	}
	for _, step := range []struct {
		state string
		give  func() (api.Transfer, error)
	}{
		{api.StateAccepted, func() (api.Transfer, error) { return r.receiver().Accept(r.t.Context(), id, 0) }},
		{api.StateDelivered, func() (api.Transfer, error) { return r.sender().Deliver(r.t.Context(), id, 0, []byte(document)) }},
		{api.StateAcknowledged, func() (api.Transfer, error) {
			return r.receiver().Acknowledge(r.t.Context(), id, 0, api.Processed{ID: "ASN-77"})
		}},
	} {
		if got := must[api.Transfer](r.t)(r.sender().Transfer(r.t.Context(), id)); got.State == state {
			break
		}
		do(step.give())
	}
	return id
}

func TestOtherContentUnderTheSameCommandIsAConflict(t *testing.T) {
	r := newRig(t, sqldbtest.SQLite(t))
	other := newOffer(assen)
	other.Kind = api.KindCopy
	changed := `{"bronorganisatie":"000000000","identificatie":"ZAAK-2026-0000000001","zaaktype":"https://c.example/1","verantwoordelijkeOrganisatie":"000000000","startdatum":"2026-11-02"}`
	offered, declined, delivered, done := r.at(api.StateOffered), r.at(api.StateDeclined), r.at(api.StateDelivered), r.at(api.StateAcknowledged)
	for name, err := range map[string]error{
		"offer":       second(r.sender().Offer(t.Context(), offered, other)),
		"decline":     second(r.receiver().Decline(t.Context(), declined, 0, "toch iets anders")),
		"deliver":     second(r.sender().Deliver(t.Context(), delivered, 0, []byte(changed))),
		"acknowledge": second(r.receiver().Acknowledge(t.Context(), done, 0, api.Processed{ID: "ASN-78"})),
	} {
		if got := errs.As(err); err == nil || got.Code.ID != "transfer-other-content" {
			t.Errorf("%s: got %v, want transfer-other-content", name, err)
		}
	}
	if body := must[[]byte](t)(r.receiver().Case(t.Context(), delivered)); string(body) != document {
		t.Error("the delivered case was changed")
	}
}

func second[T any](_ T, err error) error { return err }

func TestOnlyTheVersionThatWasReadIsChanged(t *testing.T) {
	r := newRig(t, sqldbtest.SQLite(t))
	id := r.at(api.StateAccepted)
	if _, err := r.sender().Deliver(t.Context(), id, 1, []byte(document)); err == nil || errs.As(err).Code.ID != "transfer-changed" {
		t.Errorf("got %v, want transfer-changed", err)
	}
	got := r.ask(r.sender(), http.MethodPut, "/uitwisselingen/"+id+"/zaak", document, "If-Match", `W/"2"`)
	if got.status != http.StatusBadRequest {
		t.Errorf("a weak tag: got %d", got.status)
	}
	if got := r.ask(r.sender(), http.MethodPut, "/uitwisselingen/"+id+"/zaak", document, "If-Match", "*"); got.status != http.StatusOK || got.header.Get("ETag") != `"3"` {
		t.Errorf("any version: got %d, ETag %s", got.status, got.header.Get("ETag"))
	}
}

func TestAnOfferHasADeadline(t *testing.T) {
	r := newRig(t, sqldbtest.SQLite(t))
	offer, id := newOffer(assen), newID()
	deadline := time.Now().Add(time.Hour)
	offer.Deadline = &deadline
	must[api.Transfer](t)(r.sender().Offer(t.Context(), id, offer))
	r.clock.Store(int64(2 * time.Hour))
	got := must[api.Transfer](t)(r.receiver().Transfer(t.Context(), id))
	if len(got.Allowed) != 0 {
		t.Errorf("after the deadline: %v is allowed", got.Allowed)
	}
	if _, err := r.receiver().Accept(t.Context(), id, 0); err == nil || errs.As(err).Code.ID != "transfer-expired" {
		t.Errorf("got %v, want transfer-expired", err)
	}
	if _, err := r.sender().Offer(t.Context(), newID(), offer); err == nil || errs.As(err).Code.ID != "deadline-passed" {
		t.Errorf("got %v, want deadline-passed", err)
	}
	// A repeat of the first offer still gives its receipt: its answer may have been lost.
	if again, err := r.sender().Offer(t.Context(), id, offer); err != nil || again.Receipt == "" {
		t.Errorf("repeat of the offer: %v", err)
	}
}

func TestListsShowThePagesOfOnesOwn(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		var want []string
		for range 7 {
			id := newID()
			must[api.Transfer](t)(r.sender().Offer(t.Context(), id, newOffer(assen)))
			want = append([]string{id}, want...)
		}
		must[api.Transfer](t)(r.as(groningen, toLeeuwarden).Offer(t.Context(), newID(), newOffer(leeuwarden)))
		var got []string
		query := url.Values{"aantal": {"3"}}
		for {
			page, err := r.receiver().Transfers(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			for _, transfer := range page.Transfers {
				got = append(got, transfer.ID)
			}
			if page.Next == "" {
				break
			}
			query.Set("cursor", page.Next)
		}
		if !slices.Equal(got, want) {
			t.Errorf("pages: got %v, want %v", got, want)
		}
		must[api.Transfer](t)(r.receiver().Accept(t.Context(), want[0], 0))
		for name, tc := range map[string]struct {
			client *api.Client
			query  url.Values
			want   int
		}{
			"all that the receiver has":            {r.receiver(), url.Values{}, 7},
			"those in which it sends":              {r.receiver(), url.Values{"rol": {"verzender"}}, 0},
			"those that wait":                      {r.receiver(), url.Values{"toestand": {"aangeboden"}}, 6},
			"what the sender sends to one":         {r.sender(), url.Values{}, 7},
			"what the sender sends to another":     {r.as(groningen, toLeeuwarden), url.Values{}, 1},
			"the sender's own, under its own use":  {r.as(groningen, groningenOwn), url.Values{}, 8},
			"the sender's, in the other role":      {r.as(groningen, groningenOwn), url.Values{"rol": {"ontvanger"}}, 0},
			"nothing is received under a sending":  {r.sender(), url.Values{"rol": {"ontvanger"}}, 0},
			"another organisation's are not there": {r.as(leeuwarden, leeuwardOwn), url.Values{}, 1},
		} {
			page, err := tc.client.Transfers(t.Context(), tc.query)
			if err != nil || len(page.Transfers) != tc.want {
				t.Errorf("%s: got %d, %v, want %d", name, len(page.Transfers), err, tc.want)
			}
		}
	})
}
