package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"noorderhub.nl/hub/infra/demo"
	"noorderhub.nl/hub/libs/errs"
	journal "noorderhub.nl/hub/services/journal/api"
)

// hubOrganisation takes part in every call to the hub's own services, so it sees them all.
const hubOrganisation = "noorderhub"

func (c *cli) traceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "trace TRANSACTION-ID",
		Aliases: []string{"volg"},
		Short:   "follow one call: who, under which contract, through which parts, how long (een aanroep volgen)",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := c.open(cmd.Context())
			if err != nil {
				return err
			}
			t, err := s.transaction(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if c.json {
				return c.print(t)
			}
			c.showTransaction(s.hub, t)
			return nil
		},
	}
	c.asFlag(cmd, hubOrganisation)
	return cmd
}

const (
	settleTime = 5 * time.Second        // records and spans travel to the journal in batches
	settlePoll = 250 * time.Millisecond // between two looks
)

// transaction asks the journal, and asks again while the call's records are still on their way.
func (s *session) transaction(ctx context.Context, id string) (journal.Transaction, error) {
	t, err := s.token(ctx, "/journaal", "", "")
	if err != nil {
		return journal.Transaction{}, err
	}
	client := journal.Client{Base: s.base, HTTP: &http.Client{Transport: bearer{token: t.AccessToken, next: s.http.Transport}, Timeout: callTimeout}}
	deadline := time.Now().Add(settleTime)
	for {
		found, err := client.Transaction(ctx, id)
		if settled(found, err) || time.Now().After(deadline) {
			return found, explain(err)
		}
		select {
		case <-ctx.Done():
			return found, ctx.Err()
		case <-time.After(settlePoll):
		}
	}
}

// settled tells whether waiting longer can bring nothing more: every call has ended and its own span is there.
func settled(t journal.Transaction, err error) bool {
	if err != nil {
		return errs.KindOf(err) != errs.NotFound
	}
	spans := map[string]bool{}
	for _, span := range t.Spans {
		spans[span.SpanID] = true
	}
	for _, call := range t.Calls {
		if call.Permit && (call.Ending == nil || !spans[call.SpanID]) {
			return false
		}
	}
	return true
}

// bearer adds the access token to calls.
type bearer struct {
	token string
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.next.RoundTrip(r)
}

func (c *cli) showTransaction(hub demo.File, t journal.Transaction) {
	names := map[string]string{}
	for _, org := range hub.Organisations {
		names[org.OIN] = org.Name
	}
	name := func(oin string) string {
		if n := names[oin]; n != "" {
			return n + " (" + oin + ")"
		}
		return oin
	}
	fmt.Fprintln(c.stdout, "transaction", t.TransactionID)
	for _, call := range t.Calls {
		fmt.Fprintf(c.stdout, "\n%s\n", call.At.Local().Format(time.RFC3339))
		row := func(label, value string) {
			if value != "" {
				fmt.Fprintf(c.stdout, "  %-12s %s\n", label, value)
			}
		}
		row("who", name(call.Consumer)+", client "+call.ClientID)
		row("asked", fmt.Sprintf("%s: %s %s of %s", call.Service, call.Method, call.Operation, name(call.Provider)))
		row("decision", decision(call))
		row("contract", call.ContractHash)
		row("purpose", call.Purpose)
		row("legal basis", call.LegalBasis)
		row("activity", call.ProcessingActivity)
		row("outcome", outcome(call))
		row("trace", call.TraceID)
	}
	c.showWaterfall(t.Spans)
}

func decision(call journal.Call) string {
	if call.Permit {
		return "allowed by rule " + call.Rule
	}
	return fmt.Sprintf("refused by rule %s (%s)", call.Rule, call.Code)
}

func outcome(call journal.Call) string {
	if call.Ending == nil {
		return "not known: the call is still running, or its gateway stopped"
	}
	e := call.Ending
	if e.Status == 0 {
		return fmt.Sprintf("the client went away after %s", micros(e.DurationUS))
	}
	return fmt.Sprintf("%d by the %s after %s, of which %s in the service", e.Status, e.AnsweredBy, micros(e.DurationUS), micros(e.UpstreamUS))
}

// barWidth is the width of the waterfall's bars, in characters.
const barWidth = 32

func (c *cli) showWaterfall(spans []journal.Span) {
	var whole int64 = 1
	for _, s := range spans {
		whole = max(whole, s.BeginUS+s.DurationUS)
	}
	if len(spans) > 0 {
		fmt.Fprintf(c.stdout, "\n  %-44s %10s %10s\n", "part", "start", "took")
	}
	for _, s := range spans {
		label := strings.Repeat("  ", s.Depth) + s.Part + "  " + s.Name
		if runes := []rune(label); len(runes) > 44 {
			label = string(runes[:43]) + "…"
		}
		from := int(s.BeginUS * barWidth / whole)
		width := max(1, int(s.DurationUS*barWidth/whole))
		fmt.Fprintf(c.stdout, "  %-44s %10s %10s  %s%s\n", label, micros(s.BeginUS), micros(s.DurationUS),
			strings.Repeat(" ", from), strings.Repeat("█", min(width, barWidth-min(from, barWidth-1))))
	}
}

func micros(us int64) string { return fmt.Sprintf("%.2f ms", float64(us)/1000) }
