package administration

import (
	"context"
	"errors"
	"fmt"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/services/registry/internal/designrules"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/intake"
)

var codeUnsafe = &errs.Code{
	ID: "description-unsafe", Kind: errs.Invalid, Side: errs.SideProvider, Title: "The description promises something unsafe",
	Next: "Mend what invalidParams lists; every other finding is advice and stands in the assessment (POST …/keuring).",
}

// Assessment is what the hub says of the description of one base path.
type Assessment struct {
	BasePath    string
	Faults      intake.Faults         // it cannot be taken in before these are mended
	Findings    []designrules.Finding // advice, unless Blocking
	Description *intake.Description   // nil with Faults
	Changes     []intake.Change       // against what is there now
}

// Assess reads descriptions as PutService would and changes nothing.
func (o *Office) Assess(ctx context.Context, a Actor, slug string, apis []directory.API) ([]Assessment, error) {
	if err := a.prepares(technicians...); err != nil {
		return nil, err
	}
	before := map[string]string{}
	if was := o.Publisher.State().Directory.Service(slug); was != nil {
		if was.Owner != a.Organisation {
			return nil, CodeUnknown.New("your organisation has no service %s", slug)
		}
		for _, api := range was.APIs {
			before[api.BasePath] = api.OpenAPI
		}
	}
	out := make([]Assessment, 0, len(apis))
	for _, api := range apis {
		x, err := assess(ctx, slug, api)
		if err != nil {
			return nil, err
		}
		if x.Description != nil && before[api.BasePath] != "" {
			if old, _, err := intake.Read(ctx, slug, []byte(before[api.BasePath])); err == nil {
				x.Changes = intake.Compare(old, x.Description)
			}
		}
		out = append(out, x)
	}
	return out, nil
}

func assess(ctx context.Context, slug string, api directory.API) (Assessment, error) {
	x := Assessment{BasePath: api.BasePath}
	var err error
	x.Description, x.Findings, err = intake.Read(ctx, slug, []byte(api.OpenAPI))
	if errors.As(err, &x.Faults) {
		x.Description, err = nil, nil
	}
	return x, err
}

// takeIn reads the descriptions of a service that is put on the hub. Swagger 2.0 becomes OpenAPI 3, and operations without
// an id get one; other descriptions stay as they were given. Faults refuse it, and what is unsafe does once it is published.
func takeIn(ctx context.Context, s *directory.Service) (findings int, err error) {
	var fields []errs.Field
	unsafe := false
	for i := range s.APIs {
		api := &s.APIs[i]
		x, err := assess(ctx, s.Slug, *api)
		if err != nil {
			return 0, err
		}
		findings += len(x.Findings)
		at := fmt.Sprintf("/apis/%d/openapi", i)
		for _, f := range x.Faults {
			fields = append(fields, errs.Field{Name: at + f.Field, Code: f.Rule, Reason: fmt.Sprintf("line %d: %s. %s", f.Line, f.Reason, f.Next.EN)})
		}
		for _, f := range x.Findings {
			if f.Blocking && s.Published {
				unsafe = true
				fields = append(fields, errs.Field{Name: at + f.Pointer(), Code: f.Rule, Reason: fmt.Sprintf("line %d: %s. %s", f.Line, f.Message, f.Fix.EN)})
			}
		}
		if x.Description != nil && rewritten(x.Description) {
			api.OpenAPI = string(x.Description.Text)
		}
	}
	switch {
	case len(fields) == 0:
		return findings, nil
	case unsafe:
		return 0, codeUnsafe.New("%d findings block publication", len(fields)).WithFields(fields...)
	}
	return 0, CodeFaults.New("%d faults in the descriptions", len(fields)).WithFields(fields...)
}

// rewritten tells whether the hub's form of a description says more than the text that was given.
func rewritten(d *intake.Description) bool {
	if d.Converted {
		return true
	}
	for _, op := range d.Operations {
		if op.Proposed.ID {
			return true
		}
	}
	return false
}
