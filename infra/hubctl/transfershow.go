package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"noorderhub.nl/hub/infra/demo"
	"noorderhub.nl/hub/libs/oin"
	cases "noorderhub.nl/hub/services/cases/api"
)

// exchange gives a client of the case exchange under the agreement with provider, the organisation itself for its own
// inbox. Where there is none, the hub is asked all the same: its refusal says what to do.
func (s *session) exchange(ctx context.Context, provider string, scopes ...string) (*cases.Client, error) {
	for slug, org := range s.hub.Organisations {
		if org.OIN == provider {
			provider = slug
		}
	}
	if agreement, ok := s.client.Agreement(cases.Slug, provider); ok {
		scopes = append([]string{agreement.Name}, scopes...)
	}
	t, err := s.token(ctx, "", s.hub.Hub+"/"+cases.Slug, strings.Join(scopes, " "))
	if err != nil {
		return nil, err
	}
	return &cases.Client{Base: s.base, HTTP: &http.Client{
		Transport: bearer{token: t.AccessToken, next: tracing{s.stderr, s.http.Transport}}, Timeout: callTimeout,
		CheckRedirect: s.http.CheckRedirect,
	}}, nil
}

// oinOf gives the OIN of an organisation by its short name, or takes an OIN as it is.
func (s *session) oinOf(name string) (string, error) {
	if org, ok := s.hub.Organisations[name]; ok {
		return org.OIN, nil
	}
	if _, err := oin.Parse(name); err == nil {
		return name, nil
	}
	names := slices.Sorted(maps.Keys(s.hub.Organisations))
	return "", fmt.Errorf("no organisation %q here; choose with --to an OIN or one of: %s", name, strings.Join(names, ", "))
}

// receipts fetches the receipts of a transfer and checks them here, with the anchors of the hub's data folder.
func (s *session) receipts(ctx context.Context, client *cases.Client, id string) ([]cases.Receipt, error) {
	bundle, err := client.Receipts(ctx, id)
	if err != nil {
		return nil, explain(err)
	}
	return s.verify(bundle)
}

func (s *session) verify(bundle cases.Bundle) ([]cases.Receipt, error) {
	text, err := os.ReadFile(s.hub.CA)
	if err != nil {
		return nil, err
	}
	trust := cases.Trust{Anchors: x509.NewCertPool(), Hub: s.hub.Organisations[hubOrganisation].OIN}
	if !trust.Anchors.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", s.hub.CA)
	}
	receipts, err := cases.VerifyReceipts(bundle, trust)
	if err != nil {
		return nil, fmt.Errorf("the receipts do not hold: %w", err)
	}
	return receipts, nil
}

// words are the states as people say them.
var words = map[string]string{
	cases.StateOffered: "offered", cases.StateAccepted: "accepted", cases.StateDeclined: "declined",
	cases.StateDelivered: "delivered", cases.StateAcknowledged: "acknowledged",
	cases.StateWithdrawn: "withdrawn", cases.StateExpired: "expired", cases.StateRefused: "refused", cases.StateClosed: "closed",
	cases.TypeDestroyed: "destroyed",
}

// verbs are the commands as they stand behind `inbox`; delivering is the sender's `transfer` again.
var verbs = map[string]string{
	cases.CommandAccept: "accept", cases.CommandDecline: "decline", cases.CommandDeliver: "deliver (transfer again)",
	cases.CommandAcknowledge: "acknowledge", cases.CommandWithdraw: "withdraw", cases.CommandRefuse: "refuse", cases.CommandClose: "close",
}

func namesOf(hub demo.File) func(oin string) string {
	names := map[string]string{}
	for _, org := range hub.Organisations {
		names[org.OIN] = org.Name
	}
	return func(oin string) string { return cmp.Or(names[oin], oin) }
}

func allowed(t cases.Transfer) string {
	list := make([]string, len(t.Allowed))
	for i, command := range t.Allowed {
		list[i] = verbs[command]
	}
	if t.Frozen {
		return "nothing: the agreement is suspended or has ended"
	}
	return strings.Join(list, ", ")
}

// showTransfer tells a person all about a transfer; receipts are those that were checked.
func (c *cli) showTransfer(hub demo.File, t cases.Transfer, receipts []cases.Receipt) {
	name := namesOf(hub)
	fmt.Fprintf(c.stdout, "transfer %s\n", t.ID)
	row := func(label, value string) {
		if value != "" {
			fmt.Fprintf(c.stdout, "  %-10s %s\n", label, value)
		}
	}
	row("from", name(t.Sender)+" ("+t.Sender+")")
	row("to", name(t.Receiver)+" ("+t.Receiver+")")
	row("case", fmt.Sprintf("%s of %s, type %s, %d bytes, %s", t.Case.ID, t.Case.Source, t.Case.Type.ID, t.Manifest.Bytes, t.Kind))
	row("state", words[t.State]+" ("+t.State+")")
	if t.WaitsFor != "" {
		row("turn", name(t.WaitsFor))
	}
	row("reason", strings.TrimPrefix(t.Code+": "+t.Reason, ": "))
	row("source", t.Source)
	if t.Processed != nil {
		row("number", t.Processed.ID)
		row("case at", t.Processed.URL)
	}
	if t.Deadline != nil {
		row("until", t.Deadline.Local().Format(time.RFC3339))
	}
	row("purpose", t.Purpose)
	row("contract", t.ContractHash)
	row("may do", allowed(t))
	for _, r := range receipts {
		row("receipt", fmt.Sprintf("%d %-12s by %s at %s: checked", r.Sequence, words[r.Type], name(r.Actor), r.At.Local().Format(time.RFC3339)))
	}
}
