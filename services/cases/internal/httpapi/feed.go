package httpapi

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/kit"
	"noorderhub.nl/hub/services/cases/api"
	"noorderhub.nl/hub/services/cases/internal/exchange"
)

// Readers that wait cost a connection each. One organisation may not take them all.
const (
	maxWaiting    = 1000
	maxWaitingOne = 25
	retryWaiting  = 5 * time.Second
)

var (
	codeWaiting = &errs.Code{
		ID: "feed-waiters", Kind: errs.TooMany, Side: errs.SideClient, Title: "Too many readers wait for the feed",
		Next: "Read the feed with one application, or with wacht=0.",
	}
	codeCursor = &errs.Code{
		ID: "feed-cursor", Kind: errs.Gone, Side: errs.SideHub, Title: "The cursor of the feed is not known any more",
		Next: "Read the feed from the beginning: leave na out. Events you know already have the same id.",
	}
)

// waiters counts who waits.
type waiters struct {
	mu    sync.Mutex
	all   int
	perOf map[string]int
}

func newWaiters() *waiters { return &waiters{perOf: map[string]int{}} }

func (w *waiters) enter(organisation string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all >= maxWaiting || w.perOf[organisation] >= maxWaitingOne {
		return false
	}
	w.all++
	w.perOf[organisation]++
	return true
}

func (w *waiters) leave(organisation string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all--
	if w.perOf[organisation]--; w.perOf[organisation] == 0 {
		delete(w.perOf, organisation)
	}
}

// feedRequest is GET /gebeurtenissen.
type feedRequest struct {
	after int64
	wait  time.Duration
	limit int
}

// Decode implements kit's decoder.
func (q *feedRequest) Decode(r *http.Request) error {
	in := kit.NewQuery(r)
	if text := in.String("na"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || strconv.FormatInt(n, 10) != text {
			in.Fault("na", "format", "must be volgende of an earlier answer")
		}
		q.after = n
	}
	q.wait = time.Duration(in.Int("wacht", kit.Range(0, int(api.MaxWait/time.Second)))) * time.Second
	if q.limit = in.Int("aantal", kit.Range(1, maxPage)); q.limit == 0 {
		q.limit = maxPage
	}
	return in.Err()
}

func (h *handlers) events(ctx context.Context, c exchange.Caller, q feedRequest) (api.EventPage, error) {
	heard := h.Bells.Heard(c.Organisation) // before the first look: see Bells
	feed, err := h.look(ctx, c, q.after, q.limit)
	if err == nil && len(feed.Events) == 0 && q.wait > 0 {
		feed, err = h.awaitEvents(ctx, c, q, feed, heard)
	}
	if err != nil {
		return api.EventPage{}, err
	}
	page := api.EventPage{Events: make([]api.Event, len(feed.Events)), Next: strconv.FormatInt(feed.Next, 10)}
	for i, e := range feed.Events {
		page.Events[i] = h.wireEvent(e)
	}
	return page, nil
}

func (h *handlers) look(ctx context.Context, c exchange.Caller, after int64, limit int) (exchange.Feed, error) {
	feed, err := h.Exchange.Events(ctx, c, after, limit)
	if err == nil && after > feed.Head {
		return feed, codeCursor.New("na lies beyond the newest event; the feed was restored from a backup, or the cursor is of another organisation")
	}
	return feed, err
}

// awaitEvents looks again whenever there may be something, until there is, the time is over or the service stops.
func (h *handlers) awaitEvents(
	ctx context.Context, c exchange.Caller, q feedRequest, feed exchange.Feed, heard <-chan struct{},
) (exchange.Feed, error) {
	if !h.waiters.enter(c.Organisation) {
		return feed, codeWaiting.New("at most %d readers of one organisation wait at a time", maxWaitingOne).WithRetryAfter(retryWaiting)
	}
	defer h.waiters.leave(c.Organisation)
	waiting, cancel := context.WithTimeout(ctx, q.wait)
	defer cancel()
	go func() {
		select {
		case <-h.Stopping:
			cancel()
		case <-waiting.Done():
		}
	}()
	for {
		h.Bells.Await(waiting, heard)
		if ctx.Err() != nil {
			return feed, ctx.Err()
		}
		heard = h.Bells.Heard(c.Organisation)
		next, err := h.look(ctx, c, feed.Next, q.limit)
		if err != nil || len(next.Events) > 0 || waiting.Err() != nil {
			return next, err
		}
		feed = next
	}
}

func (h *handlers) wireEvent(e exchange.Event) api.Event {
	return api.Event{
		SpecVersion: "1.0", ID: e.ID, Source: "urn:nld:oin:" + h.HubOIN + ":systeem:" + api.Slug, Type: api.EventPrefix + string(e.Type),
		Subject: e.Transfer, Time: e.At, Sequence: strconv.Itoa(e.Sequence), SequenceType: "Integer",
		DataRef: h.Hub + api.Base + "/uitwisselingen/" + e.Transfer,
	}
}
