package httpapi

import (
	"context"
	"net/http"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/kit"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/registry/internal/notify"
	"noorderhub.nl/hub/services/registry/internal/notify/cloudevent"
)

// Feed gives what an organisation is told; *notifysql.Store is it.
type Feed interface {
	Desk
	Feed(ctx context.Context, organisation oin.OIN, after int64, limit int) (events []notify.Event, next int64, err error)
}

// feedQuery asks for events after a number.
type feedQuery struct {
	after int64
	limit int
}

// Decode reads the query.
func (f *feedQuery) Decode(r *http.Request) error {
	q := kit.NewQuery(r)
	f.limit = feedStandard
	if q.Has("na") {
		f.after = int64(q.Int("na"))
	}
	if q.Has("aantal") {
		f.limit = q.Int("aantal", kit.Range(1, feedMost))
	}
	return q.Err()
}

// Sizes of a page of the feed.
const (
	feedStandard = 100
	feedMost     = 500
)

type eventList struct {
	Events []cloudevent.Event `json:"gebeurtenissen"`
	Next   int64              `json:"na"` // for the next look
}

// events gives what the caller's organisation was told, oldest first, after the number of the last look.
func (h *handlers) events(ctx context.Context, q feedQuery) (eventList, error) {
	caller, state, err := h.caller(ctx, "gebeurtenissen")
	if err != nil {
		return eventList{}, err
	}
	events, next, err := h.Feed.Feed(ctx, oin.OIN(caller.PeerID), q.after, q.limit)
	if err != nil {
		if e := errs.As(err); e.Code != errs.CodeInternal {
			return eventList{}, err
		}
		return eventList{}, errs.CodeUnavailable.Wrap(err, "the feed cannot be read now").WithRetryAfter(5 * time.Second)
	}
	source := cloudevent.Source{Hub: h.Hub, OIN: oin.OIN(state.Directory.Hub().Organisation)}
	out := eventList{Events: []cloudevent.Event{}, Next: next}
	for _, e := range events {
		out.Events = append(out.Events, source.Of(e))
	}
	return out, nil
}
