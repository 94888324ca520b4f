package authserver

import (
	"context"
	"encoding/json"

	"noorderhub.nl/hub/libs/app"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/authserver/internal/keys"
	"noorderhub.nl/hub/services/registry/api"
)

// followRegistry fills in what deps leaves open: the snapshots of the registry, and the way to publish keys to it.
func followRegistry(ctx context.Context, a *app.App, cfg api.Following, id *workload.Identity, instance string, deps *Deps) error {
	if deps.Snapshots != nil && deps.Publish != nil {
		return nil
	}
	if err := cfg.Validate(); err != nil {
		return err
	}
	client := id.HTTPClient("registry")
	client.Transport = deps.Telemetry.Transport(client.Transport)
	remote := cfg.Remote(client)
	if deps.Publish == nil {
		deps.Publish = func(ctx context.Context, set json.RawMessage) error {
			return remote.PublishKeys(ctx, api.PartKeys{Part: keys.Part, Instance: instance, JWKS: set})
		}
	}
	if deps.Snapshots != nil {
		return nil
	}
	follower, err := cfg.Follower(ctx, client, deps.Logger)
	if err != nil {
		return err
	}
	deps.Snapshots = follower
	a.Background("registry follower", follower.Run)
	return nil
}
