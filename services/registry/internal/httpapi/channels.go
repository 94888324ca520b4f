package httpapi

import (
	"context"
	"net/http"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/administration"
	"noorderhub.nl/hub/services/registry/internal/notify"
)

// Desk reads how organisations are told; *notifysql.Store is it, as a Feed too.
type Desk interface {
	Channels(ctx context.Context, organisation oin.OIN) ([]notify.Channel, error)
	Channel(ctx context.Context, organisation oin.OIN, id string) (notify.Channel, error)
	Mutes(ctx context.Context, organisation oin.OIN, now time.Time) ([]notify.Mute, error)
	Parked(ctx context.Context, organisation oin.OIN, limit int) ([]notify.Delivery, error)
}

// webhookKeys is public: whoever gets a webhook checks its signature with them.
func (h *handlers) webhookKeys(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.problems.Write(w, r, errs.CodeMethod.New("the key set is read with GET"))
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	_, _ = w.Write(h.WebhookKeys)
}

type channelList struct {
	Channels []api.ChannelView `json:"kanalen"`
}

func (h *handlers) channels(ctx context.Context, _ struct{}) (channelList, error) {
	caller, _, err := h.caller(ctx, "kanalen")
	if err != nil {
		return channelList{}, err
	}
	all, err := h.Feed.Channels(ctx, oin.OIN(caller.PeerID))
	if err != nil {
		return channelList{}, unreadable(err)
	}
	out := channelList{Channels: make([]api.ChannelView, len(all))}
	for i := range all {
		out.Channels[i] = channelView(&all[i])
	}
	return out, nil
}

func (h *handlers) channel(ctx context.Context, q read) (answered, error) {
	caller, _, err := h.caller(ctx, "kanalen/{id}")
	if err != nil {
		return answered{}, err
	}
	c, err := h.Feed.Channel(ctx, oin.OIN(caller.PeerID), q.path("id"))
	if err != nil {
		return answered{}, unreadable(err)
	}
	return answered{status: http.StatusOK, view: channelView(&c), revision: c.Revision}, nil
}

func (h *handlers) addChannel(ctx context.Context, c command[api.ChannelBody]) (answered, error) {
	return h.keepChannel(ctx, "", c.body, administration.Revision{}, http.StatusCreated)
}

func (h *handlers) putChannel(ctx context.Context, c command[api.ChannelBody]) (answered, error) {
	return h.keepChannel(ctx, c.path("id"), c.body, c.revision, http.StatusOK)
}

func (h *handlers) keepChannel(ctx context.Context, id string, body api.ChannelBody, r administration.Revision, status int) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	given := notify.Channel{
		ID: id, Kind: notify.ChannelType(body.Kind), Address: body.Address, Digest: body.Digest, Language: notify.Language(body.Language), CA: body.CA, Pin: body.Pin,
	}
	if given.Kind == notify.Mail && given.Language == "" {
		given.Language = notify.Dutch
	}
	if body.Own {
		given.Person = a.Person
	}
	for _, t := range body.Types {
		given.Types = append(given.Types, notify.Type(t))
	}
	kept, err := h.Office.PutChannel(ctx, a, given, r)
	if err != nil {
		return answered{}, err
	}
	out := answered{status: status, view: channelView(&kept), revision: kept.Revision}
	if status == http.StatusCreated {
		out.location = Admin + "/kanalen/" + kept.ID
	}
	return out, nil
}

func (h *handlers) removeChannel(ctx context.Context, c command[none]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	return answered{status: http.StatusNoContent}, h.Office.RemoveChannel(ctx, a, c.path("id"), c.revision)
}

func (h *handlers) testChannel(ctx context.Context, c command[none]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	result, err := h.Office.TestChannel(ctx, a, c.path("id"))
	if err != nil {
		return answered{}, err
	}
	return answered{status: http.StatusOK, view: resultView(result)}, nil
}

func (h *handlers) retryChannel(ctx context.Context, c command[api.RetryBody]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	n, err := h.Office.RetryChannel(ctx, a, c.path("id"), c.body.Event)
	if err != nil {
		return answered{}, err
	}
	return answered{status: http.StatusOK, view: api.RetryView{Count: n}}, nil
}

type muteList struct {
	Mutes []api.MuteView `json:"dempingen"`
}

func (h *handlers) mutes(ctx context.Context, _ struct{}) (muteList, error) {
	caller, _, err := h.caller(ctx, "dempingen")
	if err != nil {
		return muteList{}, err
	}
	all, err := h.Feed.Mutes(ctx, oin.OIN(caller.PeerID), h.Now())
	if err != nil {
		return muteList{}, unreadable(err)
	}
	out := muteList{Mutes: make([]api.MuteView, len(all))}
	for i, m := range all {
		out.Mutes[i] = muteView(m)
	}
	return out, nil
}

func (h *handlers) mute(ctx context.Context, c command[api.MuteBody]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	m, err := h.Office.Mute(ctx, a, notify.Mute{Channel: c.body.Channel, Person: c.body.Person, Type: notify.Type(c.body.Type), Until: c.body.Until})
	if err != nil {
		return answered{}, err
	}
	return answered{status: http.StatusCreated, view: muteView(m)}, nil
}

func (h *handlers) unmute(ctx context.Context, c command[none]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	return answered{status: http.StatusNoContent}, h.Office.Unmute(ctx, a, c.path("id"))
}

type parkedList struct {
	Deliveries []api.DeliveryView `json:"bezorgingen"`
}

// parkedMost is how many parked deliveries are shown; who has more mends the channel first.
const parkedMost = 500

// parked gives what could not be delivered to the caller's organisation.
func (h *handlers) parked(ctx context.Context, _ struct{}) (parkedList, error) {
	caller, _, err := h.caller(ctx, "bezorgingen")
	if err != nil {
		return parkedList{}, err
	}
	all, err := h.Feed.Parked(ctx, oin.OIN(caller.PeerID), parkedMost)
	if err != nil {
		return parkedList{}, unreadable(err)
	}
	out := parkedList{Deliveries: make([]api.DeliveryView, len(all))}
	for i, d := range all {
		out.Deliveries[i] = api.DeliveryView{
			Event: d.Event.ID, Type: string(d.Event.Type), Channel: d.Channel, State: string(d.State), Attempts: d.Attempts, Result: d.Result, When: d.Changed,
		}
	}
	return out, nil
}

func channelView(c *notify.Channel) api.ChannelView {
	v := api.ChannelView{
		ID: c.ID, Person: c.Person, State: string(c.State), Created: c.Created, Rate: c.Rate,
		ChannelBody: api.ChannelBody{
			Kind: string(c.Kind), Address: c.Address, Own: c.Person != "", Digest: c.Digest, Language: string(c.Language), CA: c.CA, Pin: c.Pin, Types: []string{},
		},
	}
	for _, t := range c.Types {
		v.Types = append(v.Types, string(t))
	}
	if !c.Last.At.IsZero() {
		last := resultView(c.Last)
		v.Last = &last
	}
	return v
}

func resultView(r notify.Result) api.ResultView {
	return api.ResultView{At: r.At, OK: r.OK, Text: r.Text}
}

func muteView(m notify.Mute) api.MuteView {
	return api.MuteView{ID: m.ID, By: m.By, MuteBody: api.MuteBody{Channel: m.Channel, Person: m.Person, Type: string(m.Type), Until: m.Until}}
}

// unreadable tells refusals from a store that did not answer.
func unreadable(err error) error {
	if errs.As(err).Code != errs.CodeInternal {
		return err
	}
	return errs.CodeUnavailable.Wrap(err, "this cannot be read now").WithRetryAfter(5 * time.Second)
}
