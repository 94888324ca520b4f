package httpapi

import (
	"context"

	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/administration"
)

type assessmentList struct {
	Assessments []api.AssessmentView `json:"keuringen"`
}

// assess tells what the hub makes of descriptions, and changes nothing.
func (h *handlers) assess(ctx context.Context, c command[api.AssessmentBody]) (assessmentList, error) {
	a, err := h.actor(ctx)
	if err != nil {
		return assessmentList{}, err
	}
	apis, err := h.descriptions(ctx, a, c.body.APIs, c.body.CAs)
	if err != nil {
		return assessmentList{}, err
	}
	assessments, err := h.Office.Assess(ctx, a, c.path("slug"), apis)
	if err != nil {
		return assessmentList{}, err
	}
	out := assessmentList{Assessments: []api.AssessmentView{}}
	for _, x := range assessments {
		out.Assessments = append(out.Assessments, assessmentView(x))
	}
	return out, nil
}

// findingsMost are told of one description: who mends those sees the next. What blocks comes in the refusal as well.
const findingsMost = 500

func assessmentView(x administration.Assessment) api.AssessmentView {
	view := api.AssessmentView{
		BasePath: x.BasePath, Faults: []api.FindingView{}, Findings: []api.FindingView{}, Operations: []api.OperationDraft{}, Changes: []api.ChangeView{},
	}
	for _, f := range x.Faults {
		view.Faults = append(view.Faults, api.FindingView{
			Rule: f.Rule, Severity: "error", Pointer: f.Field, Line: f.Line, Message: f.Reason, FixNL: f.Next.NL, FixEN: f.Next.EN, Blocking: true,
		})
	}
	for _, f := range x.Findings[:min(len(x.Findings), findingsMost)] {
		view.Findings = append(view.Findings, api.FindingView{
			Rule: f.Rule, Severity: string(f.Severity), Pointer: f.Pointer(), Line: f.Line, Message: f.Message, FixNL: f.Fix.NL, FixEN: f.Fix.EN, Blocking: f.Blocking,
		})
	}
	if x.Description == nil {
		return view
	}
	for _, op := range x.Description.Operations {
		draft := api.OperationDraft{
			OperationView: api.OperationView{ID: op.ID, Method: op.Method, Path: x.BasePath + op.Path},
			ProposedID:    op.Proposed.ID, ProposedScope: op.Proposed.Scopes, Personal: op.Personal, Fields: x.Description.Fields(op.ID),
		}
		if len(op.Scopes) > 0 {
			draft.Scope = op.Scopes[0]
		}
		view.Operations = append(view.Operations, draft)
	}
	for _, c := range x.Changes {
		view.Changes = append(view.Changes, api.ChangeView{Breaking: c.Breaking, Operation: c.Operation, Path: c.Path, NL: c.Text.NL, EN: c.Text.EN})
	}
	return view
}
