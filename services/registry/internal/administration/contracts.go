package administration

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/notify"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

var (
	codeNoHand = &errs.Code{
		ID: "signature-needed", Kind: errs.Conflict, Side: errs.SideOrganisation, Title: "The hub does not keep the signing key of your organisation",
		Next: "Sign the content hash with your own key and send the signature with the request.",
	}
	codeSigned = &errs.Code{
		ID: "signed-already", Kind: errs.Conflict, Side: errs.SideOrganisation, Title: "The contract can no longer be signed this way",
		Next: "Look at its state; what was agreed is changed by a successor, and ended by a revocation.",
	}
)

// Propose brings a contract in. Its content is checked like one that is signed, so what is proposed can also be agreed.
// text is FSC JSON with whatever signatures are there already.
// predecessor is the hash of the contract whose place it takes, or "".
func (o *Office) Propose(ctx context.Context, a Actor, name, predecessor string, text json.RawMessage) (*publisher.State, string, error) {
	if err := a.prepares(directory.RoleIntegrator, directory.RoleAdministrator, directory.RoleApprover); err != nil {
		return nil, "", err
	}
	parsed, err := contract.Parse(text)
	if err != nil {
		return nil, "", refuse(directory.Key{}, faultsOf(err))
	}
	now := o.Now()
	c := &directory.Contract{Hash: parsed.Content.Hash(), Name: name, Proposer: a.name(), Since: now, Contract: text, Predecessor: predecessor}
	if !parsed.Content.Names(a.Organisation) {
		return nil, "", CodeUnknown.New("your organisation is no party of this contract")
	}
	if !parsed.Content.NotAfter.After(now) {
		return nil, "", CodeFaults.New("1 fault").WithFields(errs.Field{Name: "/validity/not_after", Code: "past", Reason: "the contract ends in the past"})
	}
	state, err := o.do(ctx, a, audit.ContractPropose, c.Key(), func(change *publisher.Change) error {
		if change.Before.Contract(c.Hash) != nil {
			return CodeExists.New("contract %s was proposed before", c.Hash)
		}
		if was := change.Before.Contract(predecessor); predecessor != "" && (was == nil || !was.Names(a.Organisation)) {
			return CodeUnknown.New("your organisation has no contract %s to succeed", predecessor)
		}
		for _, party := range parsed.Content.Signers() {
			if o := change.Before.Organisation(party); o != nil && o.EndedAt(now) {
				return ended(o)
			}
		}
		change.Put(c)
		for _, party := range parsed.Content.Signers() {
			if party != a.Organisation {
				change.Tell(o.event(notify.ContractOffered, party, notify.Contract, c.Hash, notify.Facts{notify.Counterparty: a.Organisation}))
			}
		}
		return nil
	})
	return state, c.Hash, err
}

// Renewal gives the connections of a contract, to propose them again with other terms or for a longer time.
func (o *Office) Renewal(a Actor, hash string) ([]contract.Connection, error) {
	was := o.Publisher.State().Directory.Contract(hash)
	if was == nil || !was.Names(a.Organisation) {
		return nil, CodeUnknown.New("your organisation has no contract %s", hash)
	}
	var out []contract.Connection
	for _, g := range was.Verified().Content.Grants {
		if g.Type != contract.ServiceConnection && g.Type != contract.DelegatedServiceConnection {
			return nil, CodeFaults.New("1 fault").WithFields(errs.Field{Name: "/opvolgerVan", Code: "kind", Reason: "a publication is proposed anew, it has no terms to take over"})
		}
		out = append(out, contract.Connection{
			Consumer: g.Outway.PeerID, Provider: g.Service.PeerID, Service: g.Service.Name, Gateway: g.Outway.DomainName, Thumbprint: g.Outway.PublicKeyThumbprint,
			Delegator: g.Delegator, ServiceDelegator: g.Service.Delegator, Terms: g.Terms,
		})
	}
	return out, nil
}

// remindEvery keeps reminders from becoming noise.
const remindEvery = 24 * time.Hour

var codeReminded = &errs.Code{
	ID: "reminded-already", Kind: errs.TooMany, Side: errs.SideClient, Title: "Who it waits for was reminded today",
	Next: "Call the contact of the organisation it waits for, or remind again tomorrow.",
}

// Remind tells those whose signature a contract waits for that it still does, at most once a day.
func (o *Office) Remind(ctx context.Context, a Actor, hash string) (*publisher.State, error) {
	if err := a.prepares(directory.RoleIntegrator, directory.RoleAdministrator, directory.RoleApprover); err != nil {
		return nil, err
	}
	key := directory.Key{Kind: directory.KindContract, ID: hash}
	return o.do(ctx, a, audit.ContractRemind, key, func(change *publisher.Change) error {
		return o.remind(change, a, hash)
	})
}

func (o *Office) remind(change *publisher.Change, a Actor, hash string) error {
	was, now := change.Before.Contract(hash), o.Now()
	if was == nil || !was.Names(a.Organisation) {
		return CodeUnknown.New("your organisation has no contract %s", hash)
	}
	if state := was.State(now); state != contract.Proposed {
		return codeSigned.New("the contract is %s and waits for nobody", state).WithRule(string(state))
	}
	if wait := remindEvery - now.Sub(was.Reminded); wait > 0 {
		return codeReminded.New("reminded at %s", was.Reminded.UTC().Format(time.RFC3339)).WithRetryAfter(wait)
	}
	next := was.Again()
	next.Reminded = now
	change.Put(next)
	for _, party := range was.Verified().Missing {
		if party != a.Organisation {
			change.Tell(o.event(notify.ContractReminder, party, notify.Contract, hash, notify.Facts{
				notify.Counterparty: a.Organisation, notify.Since: was.Since.UTC().Format(time.DateOnly),
			}))
		}
	}
	return nil
}

// Draft builds the content of a contract of this hub from what people say of it.
func (o *Office) Draft(connections []contract.Connection, publications []contract.Publication, from, till time.Time) (json.RawMessage, error) {
	hub := o.Publisher.State().Directory.Hub()
	for i := range connections {
		if connections[i].Gateway == "" && connections[i].Thumbprint == "" {
			connections[i].Gateway = hub.Gateway
		}
	}
	for i := range publications {
		publications[i].Directory = hub.Organisation
	}
	content, err := contract.Build(contract.Draft{
		GroupID: hub.GroupID, CreatedAt: o.Now().Truncate(time.Second), NotBefore: from, NotAfter: till, Connections: connections, Publications: publications,
	})
	if err != nil {
		return nil, refuse(directory.Key{}, faultsOf(err))
	}
	return json.Marshal(&contract.Contract{Content: content})
}

// Sign accepts, rejects or revokes a contract for the actor's organisation. jws is the organisation's own signature; ""
// lets the hub sign for an organisation that it hosts. Accepting needs an approver who did not propose it; to stop, no
// second person is needed.
// reason is why, where the organisation stops.
func (o *Office) Sign(ctx context.Context, a Actor, hash string, kind contract.SignatureType, jws, reason string) (*publisher.State, error) {
	roles := []string{directory.RoleApprover}
	if kind != contract.Accept {
		roles = append(roles, directory.RoleAdministrator, directory.RolePrivacyOfficer)
	}
	if err := a.need(roles...); err != nil {
		return nil, err
	}
	key := directory.Key{Kind: directory.KindContract, ID: hash}
	return o.do(ctx, a, audit.Act("contract."+string(kind)), key, func(change *publisher.Change) error {
		was := change.Before.Contract(hash)
		if was == nil || !was.Names(a.Organisation) {
			return CodeUnknown.New("your organisation has no contract %s", hash)
		}
		if kind == contract.Accept && was.Proposer == a.name() {
			return CodeFourEyes.New("%s proposed this contract", a)
		}
		if kind == contract.Accept {
			if err := joined(change.Before, a.Organisation, o.Now()); err != nil {
				return err
			}
		}
		signed, err := o.signed(ctx, a, change, was, kind, jws)
		if err != nil {
			return err
		}
		if kind != contract.Accept {
			signed.Reason = reason
		}
		change.Put(signed)
		o.tellSigned(change, a, kind, was)
		return nil
	})
}

// hostedSignature is the detail of an act for which the hub signed, on the word of the actor.
type hostedSignature struct {
	Hosted     bool   `json:"hosted"`
	Key        string `json:"key"`        // id, as in the list of keys in custody
	Thumbprint string `json:"thumbprint"` // of the certificate
}

// signed gives the contract with one signature more.
func (o *Office) signed(ctx context.Context, a Actor, change *publisher.Change, was *directory.Contract, kind contract.SignatureType, jws string) (*directory.Contract, error) {
	now := o.Now()
	c, state := was.Verified().Contract, was.State(now)
	open := map[contract.SignatureType][]contract.State{
		contract.Accept: {contract.Proposed}, contract.Reject: {contract.Proposed}, contract.Revoke: {contract.Valid, contract.Proposed},
	}
	if c.Signed(kind, a.Organisation) || !slices.Contains(open[kind], state) {
		return nil, codeSigned.New("the contract is %s", state).WithRule(string(state))
	}
	if jws == "" {
		hosted, err := o.Hand.Hosts(ctx, a.Organisation)
		if err != nil {
			return nil, err
		}
		if !hosted {
			return nil, codeNoHand.New("organisation %s signs for itself", a.Organisation)
		}
		made, err := o.Hand.Sign(ctx, a.Organisation, c.Content, kind, now)
		if err != nil {
			return nil, err
		}
		if change.Act.Detail, err = json.Marshal(hostedSignature{Hosted: true, Key: made.Key, Thumbprint: made.Thumbprint}); err != nil {
			return nil, err
		}
		jws = made.JWS
	}
	text, err := json.Marshal(c.With(kind, a.Organisation, jws))
	if err != nil {
		return nil, err
	}
	next := was.Again()
	next.Since, next.Contract = now, text
	return next, nil
}

// faultsOf takes a joined error apart.
func faultsOf(err error) directory.Faults {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all directory.Faults
		for _, e := range joined.Unwrap() {
			all = append(all, faultsOf(e)...)
		}
		return all
	}
	return directory.Faults{{Reason: err.Error()}}
}
