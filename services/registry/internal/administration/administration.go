// Package administration is what people and programs may do with the directory: who may, what an act checks beyond the rules
// of the directory, and what it writes. Each act is one change of the publisher: stored with its audit record and in force,
// or refused as a whole.
package administration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/custody"
	"noorderhub.nl/hub/services/registry/internal/directory"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

// Publisher carries out acts; *publisher.Publisher is it.
type Publisher interface {
	State() *publisher.State
	Do(ctx context.Context, act publisher.Act, fn func(*publisher.Change) error) (*publisher.State, error)
}

// Hand signs for hosted organisations.
type Hand interface {
	// Hosts tells whether the hub keeps the signing key of an organisation.
	Hosts(ctx context.Context, oin string) (bool, error)
	// Sign gives the organisation's signature of a content, and which key made it.
	Sign(ctx context.Context, oin string, content *contract.Content, kind contract.SignatureType, at time.Time) (custody.Signature, error)
}

// Fetcher reads a document that an organisation names by URL, within the networks that it may use. cas are PEM certificates of
// the server's authority; "" takes the system's.
type Fetcher interface {
	Fetch(ctx context.Context, organisation, url, cas string) ([]byte, error)
}

// Office carries out the acts.
type Office struct {
	Publisher Publisher
	Hand      Hand
	Fetcher   Fetcher
	Sealer    *api.UpstreamSealer // nil: no secrets of upstreams are taken
	Desk      Desk
	Teller    Teller
	Vault     *custody.Vault
	Keys      Keys
	Now       func() time.Time
}

// Actor is who acts: a person at an organisation, or a program of it.
type Actor struct {
	Client       string // client id
	Person       string // person id; empty: a program
	Organisation string // OIN
	Roles        []string
	StandsInFor  []string // ids of approvers that are away; their role is among Roles

	Session     string // id of the token; only its hash is kept
	Transaction string // of the request
	Trace       string
}

// String is the actor as the audit log has it.
func (a Actor) String() string {
	if a.Person == "" {
		return fmt.Sprintf("client %s of %s", a.Client, a.Organisation)
	}
	return fmt.Sprintf("person %s of %s by client %s", a.Person, a.Organisation, a.Client)
}

// name is what tells one proposer from another: for four eyes a person counts once, whatever clients it has.
func (a Actor) name() string {
	if a.Person == "" {
		return "client:" + a.Client
	}
	return "person:" + a.Person
}

// Operator tells whether the actor sees metadata of all organisations.
func (a Actor) Operator() bool { return slices.Contains(a.Roles, directory.RoleHubOperator) }

// Refusals of this package.
var (
	CodeRole = &errs.Code{
		ID: "role-missing", Kind: errs.Forbidden, Side: errs.SideOrganisation, Title: "This needs a person with another role",
		Next: "Ask an administrator of your organisation who has the role that rule names, or for the role.",
	}
	CodeFourEyes = &errs.Code{
		ID: "four-eyes", Kind: errs.Forbidden, Side: errs.SideOrganisation, Title: "Who proposes does not approve",
		Next: "Let a second person of your organisation approve or sign it.",
	}
	CodeUnknown = &errs.Code{
		ID: "not-in-directory", Kind: errs.NotFound, Side: errs.SideClient, Title: "Not known here, or not for your organisation",
		Next: "Look it up in the lists of the administration API; what belongs to another organisation is not shown.",
	}
	CodeStale = &errs.Code{
		ID: "changed-since-read", Kind: errs.PreconditionFailed, Side: errs.SideClient, Title: "Somebody else changed it since you read it",
		Next: "Read it again, look at what changed, and send your change with the new ETag in If-Match.",
	}
	CodeExists = &errs.Code{
		ID: "exists-already", Kind: errs.Conflict, Side: errs.SideClient, Title: "There is one with this name already",
		Next: "Take another name, or read the one that is there and change it with its ETag in If-Match.",
	}
	CodeFaults = &errs.Code{
		ID: "directory-faults", Kind: errs.Invalid, Side: errs.SideClient, Title: "The change breaks rules of the directory",
		Next: "Mend every fault in invalidParams and send it again.",
	}
)

// need refuses actors without one of the roles. Programs have none: they prepare, and never sign or approve.
func (a Actor) need(roles ...string) error {
	if a.Person != "" && slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(a.Roles, r) }) {
		return nil
	}
	return CodeRole.New("%s lacks a role of: %s", a, strings.Join(roles, ", ")).WithRule(roles[0])
}

// prepares refuses people without one of the roles; programs with the scope to write may prepare.
func (a Actor) prepares(roles ...string) error {
	if a.Person == "" {
		return nil
	}
	return a.need(roles...)
}

// record is the audit record of an act. Who may read it beside the hub operator: the actor's organisation and the parties
// of the contract that it is about.
func (a Actor) record(s *directory.State, act audit.Act, subject directory.Key) publisher.Act {
	r := publisher.Act{
		Actor:   audit.Actor{Person: a.Person, Client: a.Client, Organisation: oin.OIN(a.Organisation)},
		Act:     act,
		Subject: audit.Subject{Kind: string(subject.Kind), ID: subject.ID}, TransactionID: a.Transaction, TraceID: a.Trace,
		Organisations: []oin.OIN{oin.OIN(a.Organisation)},
	}
	if len(a.StandsInFor) > 0 {
		r.Reason = "stands in for " + strings.Join(a.StandsInFor, ", ")
	}
	if a.Session != "" {
		r.Actor.SignIn.Session = audit.Hash([]byte(a.Session))
	}
	grant, _, _ := strings.Cut(subject.ID, " ") // of a narrowing
	for _, c := range []*directory.Contract{s.Contract(subject.ID), s.ContractOf(grant)} {
		if c != nil {
			for _, party := range c.Parties() {
				r.Organisations = append(r.Organisations, oin.OIN(party))
			}
		}
	}
	return r
}

// do carries out an act and says what went wrong in terms of the caller.
func (o *Office) do(ctx context.Context, a Actor, act audit.Act, subject directory.Key, fn func(*publisher.Change) error) (*publisher.State, error) {
	return o.doWith(ctx, a, a.record(o.Publisher.State().Directory, act, subject), fn)
}

func (o *Office) doWith(ctx context.Context, a Actor, record publisher.Act, fn func(*publisher.Change) error) (*publisher.State, error) {
	subject := directory.Key{Kind: directory.Kind(record.Subject.Kind), ID: record.Subject.ID}
	state, err := o.Publisher.Do(ctx, record, fn)
	var faults directory.Faults
	var refusal *errs.Error
	switch {
	case err == nil:
		return state, nil
	case errors.As(err, &faults):
		return nil, refuse(subject, faults)
	case errors.Is(err, publisher.ErrRevision):
		return nil, CodeStale.New("%s %s was changed", subject.Kind, subject.ID)
	case errors.As(err, &refusal):
		return nil, err
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return nil, errs.CodeUnavailable.Wrap(err, "the change could not be stored; nothing has changed").WithRetryAfter(retryAfter)
}

// retryAfter is when a change that could not be stored makes sense again.
const retryAfter = 5 * time.Second

// refuse tells faults of the directory as faults of the request. A fault of something else that the change would cause is
// told with its name.
func refuse(subject directory.Key, faults directory.Faults) error {
	e := CodeFaults.New("%d faults", len(faults))
	for _, f := range faults {
		name, reason := f.Field, f.Reason
		own := f.Key.Kind == subject.Kind && (f.Key.ID == subject.ID || strings.HasPrefix(f.Key.ID, subject.ID+"/")) // a version of it
		if !own {
			name, reason = f.Key.ID, string(f.Key.Kind)+" "+f.Key.ID+": "+strings.Trim(f.Field+": "+f.Reason, ": ")
		}
		e = e.WithFields(errs.Field{Name: name, Code: "rule", Reason: reason})
	}
	return e
}

// Revision is what a request says about the state it was made for: 0 with Fresh means that nothing may be there yet.
type Revision struct {
	Number int64
	Fresh  bool // If-None-Match: *
}

// hold refuses a change of something that is not as the request says.
func hold(c *publisher.Change, k directory.Key, r Revision) error {
	if r.Fresh && c.Before.Get(k) != nil {
		return CodeExists.New("%s %s exists", k.Kind, k.ID)
	}
	return c.Expect(k, r.Number)
}
