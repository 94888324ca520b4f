package administration

import (
	"path"
	"slices"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/notify"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

// tellParties lets every party of a contract but the actor's know what the actor did with it.
func (o *Office) tellParties(c *publisher.Change, a Actor, t notify.Type, of *directory.Contract) {
	for _, party := range of.Parties() {
		if party != a.Organisation {
			c.Tell(o.event(t, party, notify.Contract, of.Hash, notify.Facts{notify.Counterparty: a.Organisation}))
		}
	}
}

// tellSigned lets the others know of a signature, and everybody when it was the last one.
func (o *Office) tellSigned(c *publisher.Change, a Actor, kind contract.SignatureType, of *directory.Contract) {
	missing := of.Verified().Missing
	if kind != contract.Accept || len(missing) != 1 || missing[0] != a.Organisation {
		t := map[contract.SignatureType]notify.Type{
			contract.Accept: notify.ContractSigned, contract.Reject: notify.ContractRejected, contract.Revoke: notify.ContractTerminated,
		}[kind]
		o.tellParties(c, a, t, of)
		return
	}
	parties := of.Parties()
	for _, party := range parties {
		other := slices.IndexFunc(parties, func(p string) bool { return p != party })
		if other >= 0 {
			c.Tell(o.event(notify.ContractInForce, party, notify.Contract, of.Hash, notify.Facts{notify.Counterparty: parties[other]}))
		}
	}
}

// tellOwn lets the actor's own organisation know: its other people watch over clients, keys and approvals.
func (o *Office) tellOwn(c *publisher.Change, a Actor, t notify.Type, kind notify.SubjectKind, id string) {
	c.Tell(o.event(t, a.Organisation, kind, id, nil))
}

// tellEndings lets the consumers of a service know which of its versions come to an end that were not said to before.
func (o *Office) tellEndings(c *publisher.Change, s *directory.Service) {
	before := map[string]bool{}
	if was := c.Before.Service(s.Slug); was != nil {
		for _, a := range was.APIs {
			before[a.BasePath] = a.Sunset != nil
		}
	}
	var consumers []string
	for _, g := range c.Before.Snapshot(o.Now()).Grants {
		if g.Service == s.Slug && !slices.Contains(consumers, g.Consumer) {
			consumers = append(consumers, g.Consumer)
		}
	}
	for _, a := range s.APIs {
		if a.Sunset == nil || before[a.BasePath] {
			continue
		}
		for _, consumer := range consumers {
			c.Tell(o.event(notify.ServiceDeprecated, consumer, notify.Service, s.Slug, notify.Facts{
				notify.Provider: s.Owner, notify.APIVersion: versionOf(a.BasePath), notify.EndDate: a.Sunset.Format(time.DateOnly),
			}))
		}
	}
}

// versionOf gives the version in a base path such as /bag/v2; "0" where it has none.
func versionOf(basePath string) string {
	last := path.Base(basePath)
	if len(last) > 1 && last[0] == 'v' && last[1] >= '0' && last[1] <= '9' {
		return last
	}
	return "0"
}

func (o *Office) event(t notify.Type, to string, kind notify.SubjectKind, id string, facts notify.Facts) notify.Event {
	return notify.Event{Type: t, Organisation: oin.OIN(to), Subject: notify.Subject{Kind: kind, ID: id}, Facts: facts, At: o.Now()}
}
