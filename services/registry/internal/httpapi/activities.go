package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/administration"
	"noorderhub.nl/hub/services/registry/internal/directory"
)

type activityList struct {
	Activities []api.ActivityView `json:"verwerkingen"`
}

// activities gives the newest versions of the caller's own register.
func (h *handlers) activities(ctx context.Context, _ struct{}) (activityList, error) {
	caller, state, err := h.caller(ctx, "verwerkingen")
	if err != nil {
		return activityList{}, err
	}
	out := activityList{Activities: []api.ActivityView{}}
	for _, a := range state.Directory.Activities(caller.PeerID) {
		out.Activities = append(out.Activities, h.activityView(a))
	}
	return out, nil
}

// activity gives one version, of any organisation unless it is confidential: contracts name it, and both sides read it.
func (h *handlers) activity(ctx context.Context, q read) (answered, error) {
	caller, state, err := h.caller(ctx, "verwerkingen/{oin}/{id}/{versie}")
	if err != nil {
		return answered{}, err
	}
	version, err := strconv.Atoi(q.path("versie"))
	a := state.Directory.Activity(q.path("oin"), q.path("id"), version)
	if err != nil || a == nil || a.Confidential && a.Organisation != caller.PeerID && !caller.HasRole(token.RoleHubOperator) {
		return answered{}, administration.CodeUnknown.New("there is no such processing activity")
	}
	return one(state, a, h.activityView(a)), nil
}

func (h *handlers) putActivity(ctx context.Context, c command[api.ActivityBody]) (answered, error) {
	actor, err := h.actor(ctx)
	if err != nil {
		return answered{}, err
	}
	state, a, err := h.Office.PutActivity(ctx, actor, &directory.Activity{
		ID: c.path("id"), Name: c.body.Name, Purpose: c.body.Purpose, LegalBasis: c.body.LegalBasis, Retention: c.body.Retention, Confidential: c.body.Confidential,
	})
	if err != nil {
		return answered{}, err
	}
	return answered{status: http.StatusOK, view: h.activityView(a), version: state.Snapshot.Version.String()}, nil
}

func (h *handlers) activityView(a *directory.Activity) api.ActivityView {
	return api.ActivityView{
		ID: a.ID, Version: a.Version, Since: a.Since, URI: fmt.Sprintf("%s%s/verwerkingen/%s/%s/%d", h.Hub, Admin, a.Organisation, a.ID, a.Version),
		ActivityBody: api.ActivityBody{Name: a.Name, Purpose: a.Purpose, LegalBasis: a.LegalBasis, Retention: a.Retention, Confidential: a.Confidential},
	}
}
