package httpapi

import (
	"context"
	"net/http"
	"time"

	"noorderhub.nl/hub/services/cases/api"
	"noorderhub.nl/hub/services/cases/internal/exchange"
)

// transfer is a transfer on its way out.
type transfer struct {
	api.Transfer
	made bool // by this call, with PUT: 201
}

// StatusCode tells a new transfer from one that was there.
func (t transfer) StatusCode() int {
	if t.made {
		return http.StatusCreated
	}
	return http.StatusOK
}

// Headers carry the version.
func (t transfer) Headers() http.Header { return http.Header{"ETag": {api.ETag(t.Version)}} }

func (h *handlers) offer(ctx context.Context, c exchange.Caller, q offerRequest) (transfer, error) {
	out, err := h.Exchange.Offer(ctx, c, q.id, q.offer, q.trial)
	if err != nil {
		return transfer{}, err
	}
	w := wire(c, out)
	w.Trial = q.trial
	return transfer{w, out.Made}, nil
}

func (h *handlers) do(ctx context.Context, c exchange.Caller, id string, a exchange.Act) (transfer, error) {
	out, err := h.Exchange.Do(ctx, c, id, a)
	if err != nil {
		return transfer{}, err
	}
	return transfer{Transfer: wire(c, out)}, nil
}

func (h *handlers) accept(ctx context.Context, c exchange.Caller, q acceptRequest) (transfer, error) {
	return h.do(ctx, c, q.id, exchange.Act{Command: exchange.Accept, IfVersion: q.version, Key: q.key})
}

func (h *handlers) decline(ctx context.Context, c exchange.Caller, q declineRequest) (transfer, error) {
	return h.do(ctx, c, q.id, exchange.Act{Command: exchange.Decline, IfVersion: q.version, Key: q.key, Reason: q.reason})
}

func (h *handlers) deliver(ctx context.Context, c exchange.Caller, q deliverRequest) (transfer, error) {
	return h.do(ctx, c, q.id, exchange.Act{Command: exchange.Deliver, IfVersion: q.version, Payload: q.payload, Case: q.caseKey})
}

func (h *handlers) acknowledge(ctx context.Context, c exchange.Caller, q acknowledgeRequest) (transfer, error) {
	return h.do(ctx, c, q.id, exchange.Act{Command: exchange.Acknowledge, IfVersion: q.version, Key: q.key, Processed: q.processed})
}

func (h *handlers) withdraw(ctx context.Context, c exchange.Caller, q declineRequest) (transfer, error) {
	return h.do(ctx, c, q.id, exchange.Act{Command: exchange.Withdraw, IfVersion: q.version, Key: q.key, Reason: q.reason})
}

func (h *handlers) refuse(ctx context.Context, c exchange.Caller, q refuseRequest) (transfer, error) {
	return h.do(ctx, c, q.id, exchange.Act{Command: exchange.Refuse, IfVersion: q.version, Key: q.key, Reason: q.reason, Code: q.code})
}

func (h *handlers) closing(ctx context.Context, c exchange.Caller, q closeRequest) (transfer, error) {
	return h.do(ctx, c, q.id, exchange.Act{Command: exchange.Close, IfVersion: q.version, Key: q.key, Source: q.source})
}

func (h *handlers) get(ctx context.Context, c exchange.Caller, q target) (transfer, error) {
	out, err := h.Exchange.Get(ctx, c, q.id)
	if err != nil {
		return transfer{}, err
	}
	return transfer{Transfer: wire(c, out)}, nil
}

func (h *handlers) list(ctx context.Context, c exchange.Caller, q listRequest) (api.TransferPage, error) {
	f := q.Filter
	f.Limit++ // one more tells whether there is a next page
	found, err := h.Exchange.List(ctx, c, f)
	if err != nil {
		return api.TransferPage{}, err
	}
	page := api.TransferPage{Transfers: []api.Transfer{}}
	if len(found) == f.Limit {
		found = found[:f.Limit-1]
		last := found[len(found)-1].Transfer
		page.Next = cursor(exchange.Position{At: last.OfferedAt, ID: last.ID})
	}
	for _, out := range found {
		page.Transfers = append(page.Transfers, wire(c, out))
	}
	return page, nil
}

func (h *handlers) receipts(ctx context.Context, c exchange.Caller, q target) (api.Bundle, error) {
	list, err := h.Exchange.ReceiptsOf(ctx, c, q.id)
	if err != nil {
		return api.Bundle{}, err
	}
	compact := make([]string, len(list))
	for i, r := range list {
		compact[i] = r.Compact
	}
	statements, err := h.Keys.StatementsOf(compact)
	if err != nil {
		return api.Bundle{}, err
	}
	return api.Bundle{Transfer: q.id, Receipts: compact, Statements: statements}, nil
}

// keySet is open to all, other origins included.
type keySet struct{ api.KeySet }

// Headers let browsers and caches have it.
func (keySet) Headers() http.Header {
	return http.Header{"Access-Control-Allow-Origin": {"*"}, "Cache-Control": {"max-age=300"}}
}

func (h *handlers) keys(context.Context, struct{}) (keySet, error) {
	return keySet{api.KeySet{Keys: h.Keys.Published()}}, nil
}

func wire(c exchange.Caller, out exchange.Outcome) api.Transfer {
	t := &out.Transfer
	w := api.Transfer{
		ID: t.ID, State: string(t.State), Version: t.Version, Role: string(t.Role(c.Organisation)),
		Sender: t.Sender, Receiver: t.Receiver(), Kind: string(t.Offer.Kind),
		Case: api.CaseKey{
			Source: t.Offer.Case.Source, ID: t.Offer.Case.ID, Type: api.CaseType(t.Offer.Case.Type), Description: t.Offer.Case.Description,
		},
		Manifest: api.Manifest(t.Offer.Manifest), Deadline: optional(t.Deadline),
		Purpose: t.Agreement.Purpose, ContractHash: t.Agreement.ContractHash, GrantHash: t.Agreement.GrantHash,
		OfferedAt: t.OfferedAt, ChangedAt: t.ChangedAt, DestroyedAt: optional(t.DestroyedAt), WaitsFor: t.WaitsFor(),
		Reason: t.Reason, Code: string(t.Code), Source: string(t.Source),
		Allowed: commands(out.Allowed), Frozen: out.Frozen, Receipt: out.Receipt, Trace: t.Trace,
	}
	if t.Processed.ID != "" {
		w.Processed = &api.Processed{ID: t.Processed.ID, URL: t.Processed.URL}
	}
	return w
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func commands(list []exchange.Command) []string {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = string(c)
	}
	return names
}
