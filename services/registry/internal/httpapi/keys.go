package httpapi

import (
	"context"
	"encoding/pem"
	"net/http"
	"slices"

	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/administration"
	"noorderhub.nl/hub/services/registry/internal/custody"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

type hostedKeyList struct {
	Keys []api.HostedKeyView `json:"bewaarsleutels"`
}

// keyKeeper gives the OIN in the path where the caller may see its keys: the organisation itself and the hub operator.
func (h *handlers) keyKeeper(ctx context.Context, q read, operation string) (string, error) {
	caller, state, err := h.caller(ctx, operation)
	if err != nil {
		return "", err
	}
	number := q.path("oin")
	own := slices.Contains(state.Directory.Numbers(caller.PeerID), number)
	if state.Directory.Organisation(number) == nil || !own && !caller.HasRole(token.RoleHubOperator) {
		return "", administration.CodeUnknown.New("your organisation has another OIN")
	}
	return number, nil
}

func (h *handlers) hostedKeys(ctx context.Context, q read) (hostedKeyList, error) {
	number, err := h.keyKeeper(ctx, q, "organisaties/{oin}/bewaarsleutels")
	if err != nil {
		return hostedKeyList{}, err
	}
	keys, err := h.Office.HostedKeys(ctx, number)
	if err != nil {
		return hostedKeyList{}, err
	}
	out := hostedKeyList{Keys: []api.HostedKeyView{}}
	for _, k := range keys {
		out.Keys = append(out.Keys, hostedKeyView(k))
	}
	return out, nil
}

func (h *handlers) hostedKey(ctx context.Context, q read) (api.HostedKeyView, error) {
	number, err := h.keyKeeper(ctx, q, "organisaties/{oin}/bewaarsleutels/{id}")
	if err != nil {
		return api.HostedKeyView{}, err
	}
	k, err := h.Office.HostedKey(ctx, number, q.path("id"))
	return hostedKeyView(k), err
}

func (h *handlers) keyRequest(ctx context.Context, q read) (api.KeyRequestView, error) {
	number, err := h.keyKeeper(ctx, q, "organisaties/{oin}/bewaarsleutels/{id}/aanvraag")
	if err != nil {
		return api.KeyRequestView{}, err
	}
	text, err := h.Office.KeyRequest(ctx, number, q.path("id"))
	return api.KeyRequestView{Request: text}, err
}

type touchedList struct {
	Touched []api.TouchedView `json:"afspraken"`
}

func (h *handlers) touched(ctx context.Context, q read) (touchedList, error) {
	number, err := h.keyKeeper(ctx, q, "organisaties/{oin}/bewaarsleutels/afspraken")
	if err != nil {
		return touchedList{}, err
	}
	list, err := h.Office.Touched(ctx, number)
	if err != nil {
		return touchedList{}, err
	}
	out := touchedList{Touched: []api.TouchedView{}}
	for _, t := range list {
		out.Touched = append(out.Touched, api.TouchedView(t))
	}
	return out, nil
}

func (h *handlers) proposeKey(ctx context.Context, c command[api.HostedKeyBody]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	state, k, err := h.Office.ProposeKey(ctx, a, c.path("oin"), custody.Algorithm(c.body.Algorithm))
	out, err := h.aboutKey(state, k, err)
	out.status, out.location = http.StatusCreated, Admin+"/organisaties/"+c.path("oin")+"/bewaarsleutels/"+k.ID
	return out, err
}

func (h *handlers) installKey(ctx context.Context, c command[api.CertificateBody]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	return h.aboutKey(h.Office.InstallKey(ctx, a, c.path("oin"), c.path("id"), c.body.Chain))
}

func (h *handlers) confirmKey(ctx context.Context, c command[none]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	return h.aboutKey(h.Office.ConfirmKey(ctx, a, c.path("oin"), c.path("id")))
}

func (h *handlers) endKey(ctx context.Context, c command[none]) (answered, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	return h.aboutKey(h.Office.EndKey(ctx, a, c.path("oin"), c.path("id")))
}

func (h *handlers) aboutKey(state *publisher.State, k custody.Key, err error) (answered, error) {
	if err != nil {
		return answered{}, err
	}
	return answered{status: http.StatusOK, view: hostedKeyView(k), version: state.Snapshot.Version.String()}, nil
}

func hostedKeyView(k custody.Key) api.HostedKeyView {
	return api.HostedKeyView{
		ID: k.ID, State: string(k.State), Algorithm: string(k.Algorithm), Certificate: k.Chain, Thumbprint: k.Thumbprint, NotAfter: k.NotAfter,
		PublicKey: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: k.Public})),
		Created:   k.Created, Activated: k.Activated, Ended: k.Ended, Proposer: k.Proposer.Person, Confirmer: k.Confirmer.Person,
	}
}
