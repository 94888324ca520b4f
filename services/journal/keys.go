package journal

import (
	"context"
	"encoding/json"
	"errors"

	"noorderhub.nl/hub/libs/app"
	"noorderhub.nl/hub/libs/discovery/consul"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/libs/workload"
	registry "noorderhub.nl/hub/services/registry/api"
)

// Snapshots gives the registry's newest snapshot, nil before the first; *registry.Follower is one.
type Snapshots interface{ Current() *registry.Snapshot }

// gatewayKeys gives the keys of call tokens as the snapshot has them, following the registry when no one else does.
func gatewayKeys(
	ctx context.Context, a *app.App, cfg registry.Following, id *workload.Identity, catalogue *consul.Client, deps Deps,
) (token.KeySource, error) {
	if deps.Snapshots == nil {
		client := id.HTTPClient("registry")
		var err error
		if cfg.URL, err = catalogue.Dial(a, cfg.URL, client); err != nil {
			return nil, err
		}
		client.Transport = deps.Telemetry.Transport(client.Transport)
		follower, err := cfg.Follower(ctx, client, deps.Logger)
		if err != nil {
			return nil, err
		}
		follower.Heed(catalogue.Watch(a, registry.VersionKey))
		a.Background("registry follower", follower.Run)
		deps.Snapshots = follower
	}
	a.Check("snapshot", func(context.Context) error {
		if deps.Snapshots.Current() == nil {
			return errors.New("there is no snapshot yet")
		}
		return nil
	})
	return token.Follow(deps.Snapshots.Current, func(s *registry.Snapshot) []json.RawMessage { return s.KeySets("gateway") }), nil
}
