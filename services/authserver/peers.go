package authserver

import (
	"context"
	"encoding/json"

	"noorderhub.nl/hub/libs/app"
	"noorderhub.nl/hub/libs/discovery/consul"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/authserver/internal/keys"
	"noorderhub.nl/hub/services/registry/api"
)

// followRegistry fills in what deps leaves open: the snapshots of the registry, and the way to publish keys to it.
func followRegistry(ctx context.Context, a *app.App, cfg Config, id *workload.Identity, catalogue *consul.Client, deps *Deps) error {
	if deps.Snapshots != nil && deps.Publish != nil {
		return nil
	}
	from := cfg.Registry
	if err := from.Validate(); err != nil {
		return err
	}
	client := id.HTTPClient("registry")
	var err error
	if from.URL, err = catalogue.Dial(a, from.URL, client); err != nil {
		return err
	}
	client.Transport = deps.Telemetry.Transport(client.Transport)
	remote := from.Remote(client)
	if deps.Publish == nil {
		deps.Publish = func(ctx context.Context, set json.RawMessage) error {
			return remote.PublishKeys(ctx, api.PartKeys{Part: keys.Part, Instance: cfg.Instance, JWKS: set})
		}
	}
	if deps.Snapshots != nil {
		return nil
	}
	follower, err := from.Follower(ctx, client, deps.Logger)
	if err != nil {
		return err
	}
	follower.Heed(catalogue.Watch(a, api.VersionKey))
	deps.Snapshots = follower
	a.Background("registry follower", follower.Run)
	return nil
}
