package httpapi

import (
	"context"

	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/administration"
	"noorderhub.nl/hub/services/registry/internal/directory"
)

// descriptions reads the descriptions of a request, those that are named by URL too. Who has no right to prepare fetches
// nothing.
func (h *handlers) descriptions(ctx context.Context, a administration.Actor, bodies []api.APIBody, cas string) ([]directory.API, error) {
	var out []directory.API
	for _, b := range bodies {
		if b.OpenAPI == "" && b.Source != "" {
			if err := a.Prepares(); err != nil {
				return nil, err
			}
			text, err := h.Office.Fetcher.Fetch(ctx, a.Organisation, b.Source, cas)
			if err != nil {
				return nil, err
			}
			b.OpenAPI = string(text)
		}
		out = append(out, directory.API(b))
	}
	return out, nil
}

func factsOf(b api.ServiceFacts) directory.Facts {
	f := directory.Facts{
		Purpose: b.Purpose, LegalBasis: b.LegalBasis, Activity: b.Activity, DataClass: b.DataClass, Health: b.Health, CacheSeconds: b.CacheSeconds,
		Logging: b.Logging, Availability: b.Availability, Support: b.Support,
	}
	for _, r := range b.Changelog {
		f.Changelog = append(f.Changelog, directory.Release(r))
	}
	return f
}

func factsView(f directory.Facts) api.ServiceFacts {
	b := api.ServiceFacts{
		Purpose: f.Purpose, LegalBasis: f.LegalBasis, Activity: f.Activity, DataClass: f.DataClass, Health: f.Health, CacheSeconds: f.CacheSeconds,
		Logging: f.Logging, Availability: f.Availability, Support: f.Support,
	}
	for _, r := range f.Changelog {
		b.Changelog = append(b.Changelog, api.Release(r))
	}
	return b
}
