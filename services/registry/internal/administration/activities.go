package administration

import (
	"context"
	"slices"

	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

// PutActivity makes what the register of the actor's organisation says of a processing activity a new version, unless the
// newest one says the same. It gives that version.
func (o *Office) PutActivity(ctx context.Context, a Actor, activity *directory.Activity) (*publisher.State, *directory.Activity, error) {
	if err := a.need(directory.RolePrivacyOfficer, directory.RoleAdministrator); err != nil {
		return nil, nil, err
	}
	activity.Organisation = a.Organisation
	if have := newest(o.Publisher.State().Directory, activity); have != nil && have.SameAs(activity) {
		return o.Publisher.State(), have, nil
	}
	state, err := o.do(ctx, a, audit.ActivityPut, directory.Key{Kind: directory.KindActivity, ID: a.Organisation + "/" + activity.ID}, func(c *publisher.Change) error {
		activity.Version, activity.Since = 1, o.Now().UTC()
		if have := newest(c.Before, activity); have != nil {
			activity.Version = have.Version + 1
		}
		c.Put(activity)
		return nil
	})
	return state, activity, err
}

func newest(s *directory.State, of *directory.Activity) *directory.Activity {
	all := s.Activities(of.Organisation)
	if i := slices.IndexFunc(all, func(a *directory.Activity) bool { return a.ID == of.ID }); i >= 0 {
		return all[i]
	}
	return nil
}
