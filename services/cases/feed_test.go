package cases_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/sqldb/sqldbtest"
	"noorderhub.nl/hub/services/cases/api"
)

func TestTheFeedTellsBothPartiesEveryChangeInOrder(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		id := r.at(api.StateAcknowledged)
		must[api.Transfer](t)(r.as(groningen, toLeeuwarden).Offer(t.Context(), newID(), newOffer(leeuwarden)))
		want := []string{"1 aangeboden", "2 geaccepteerd", "3 afgeleverd", "4 verwerkt"}
		var ids [][]string
		for _, client := range []*api.Client{r.sender(), r.receiver()} {
			var got, eventIDs []string
			cursor := ""
			for range 10 {
				var page api.EventPage
				decode(t, r.ask(client, http.MethodGet, "/gebeurtenissen?aantal=3&na="+firstOf(cursor, "0"), "").body, &page)
				for _, e := range page.Events {
					got = append(got, e.Sequence+" "+strings.TrimPrefix(e.Type, api.EventPrefix))
					eventIDs = append(eventIDs, e.ID)
					if e.Subject != id || e.DataRef != hub+"/overdracht/v1/uitwisselingen/"+id || e.Source != "urn:nld:oin:"+hubOIN+":systeem:overdracht" {
						t.Errorf("event: %+v", e)
					}
				}
				if page.Next == cursor {
					break
				}
				cursor = page.Next
			}
			if !slices.Equal(got, want) {
				t.Errorf("feed: got %v, want %v", got, want)
			}
			ids = append(ids, eventIDs)
		}
		if !slices.Equal(ids[0], ids[1]) {
			t.Error("the parties' events of one change have other ids")
		}
	})
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func TestAReaderOfTheFeedWaitsUntilThereIsSomething(t *testing.T) {
	r := newRig(t, sqldbtest.SQLite(t))
	first := must[api.EventPage](t)(r.receiver().Events(t.Context(), "", 0))
	if len(first.Events) != 0 {
		t.Fatalf("events before anything happened: %d", len(first.Events))
	}
	found := make(chan api.EventPage, 1)
	go func() {
		page, err := r.receiver().Events(t.Context(), first.Next, 20*time.Second)
		if err != nil {
			t.Error(err)
		}
		found <- page
	}()
	id := r.at(api.StateOffered)
	page := <-found
	if len(page.Events) != 1 || page.Events[0].Subject != id {
		t.Errorf("got %+v", page)
	}
	began := time.Now()
	if page := must[api.EventPage](t)(r.receiver().Events(t.Context(), page.Next, time.Second)); len(page.Events) != 0 || time.Since(began) < time.Second {
		t.Errorf("with nothing new: %d events after %v", len(page.Events), time.Since(began))
	}
	// A stop does not wait for readers.
	go func() {
		_, err := r.receiver().Events(t.Context(), page.Next, 30*time.Second)
		_ = err // it is cut, or gets an empty page
		found <- api.EventPage{}
	}()
	began = time.Now()
	r.stop()
	<-found
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("the stop took %v", took)
	}
}

func TestACursorThatWasNeverGivenIsRefused(t *testing.T) {
	r := newRig(t, sqldbtest.SQLite(t))
	r.at(api.StateOffered)
	if _, err := r.receiver().Events(t.Context(), "99", 0); err == nil || errs.As(err).Code.ID != "feed-cursor" {
		t.Errorf("beyond the end: got %v", err)
	}
	for _, na := range []string{"-1", "x", "1e3", "01", "99999999999999999999"} {
		if got := r.ask(r.receiver(), http.MethodGet, "/gebeurtenissen?na="+na, ""); got.status != http.StatusBadRequest {
			t.Errorf("na=%s: got %d", na, got.status)
		}
	}
	if got := r.ask(r.receiver(), http.MethodGet, "/gebeurtenissen?wacht=31", ""); got.status != http.StatusBadRequest {
		t.Errorf("too long a wait: got %d", got.status)
	}
}

// The same command fifty times at once: one transition, and the same receipt for all.
func TestTheSameCommandManyTimesAtOnceHappensOnce(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		const many = 50
		id := newID()
		for _, command := range []struct {
			name string
			give func() (api.Transfer, error)
		}{
			{"offer", func() (api.Transfer, error) { return r.sender().Offer(t.Context(), id, newOffer(assen)) }},
			{"accept", func() (api.Transfer, error) { return r.receiver().Accept(t.Context(), id, 0) }},
			{"deliver", func() (api.Transfer, error) { return r.sender().Deliver(t.Context(), id, 0, []byte(document)) }},
			{"acknowledge", func() (api.Transfer, error) {
				return r.receiver().Acknowledge(t.Context(), id, 0, api.Processed{ID: "ASN-77"})
			}},
		} {
			var wait sync.WaitGroup
			receipts := make([]string, many)
			for i := range many {
				wait.Go(func() {
					got, err := command.give()
					if err != nil {
						t.Errorf("%s: %v", command.name, err)
					}
					receipts[i] = got.Receipt
				})
			}
			wait.Wait()
			if slices.Sort(receipts); receipts[0] != receipts[many-1] || receipts[0] == "" {
				t.Errorf("%s: more than one receipt", command.name)
			}
		}
		bundle := must[api.Bundle](t)(r.sender().Receipts(t.Context(), id))
		if _, err := api.VerifyReceipts(bundle, api.Trust{Anchors: r.material.ca.Pool(), Hub: hubOIN}); err != nil || len(bundle.Receipts) != 4 {
			t.Errorf("%d receipts, %v", len(bundle.Receipts), err)
		}
		page := must[api.EventPage](t)(r.receiver().Events(t.Context(), "", 0))
		if len(page.Events) != 4 {
			t.Errorf("events: got %d, want 4", len(page.Events))
		}
	})
}

// Accept and decline race: one wins, the other is told so.
func TestOfTwoAnswersToAnOfferOneWins(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		for range 10 {
			id := r.at(api.StateOffered)
			results := make(chan error, 2)
			go func() { results <- second(r.receiver().Accept(t.Context(), id, 0)) }()
			go func() { results <- second(r.receiver().Decline(t.Context(), id, 0, "nee")) }()
			refused := 0
			for range 2 {
				if err := <-results; err != nil {
					refused++
					if errs.As(err).Code.ID != "transfer-state" {
						t.Error(err)
					}
				}
			}
			if refused != 1 {
				t.Errorf("%d of two were refused, want one", refused)
			}
		}
	})
}
