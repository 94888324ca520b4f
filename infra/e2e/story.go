package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"noorderhub.nl/hub/infra/stack"
)

const addressCall = "GET " + examplePath

// story plays what the hub is for, with every part a process of its own on real stores: tokens, an address, a refusal, a
// trace, a case handed over, one rate over several gateways; then again while one process after the other is killed.
func story(ctx context.Context, root string, say func(string, ...any)) error {
	return onStack(ctx, root, say, stack.Options{Terms: rated}, func(ctx context.Context, h *hub) error {
		for _, step := range []func(context.Context, *hub) error{
			tokensAndAddresses, refusal, clientsOfOthers, handOver, oneRate, killEach,
		} {
			if err := step(ctx, h); err != nil {
				return err
			}
		}
		return nil
	})
}

func tokensAndAddresses(ctx context.Context, h *hub) error {
	for _, organisation := range []string{"assen", "leeuwarden"} { // private_key_jwt; bound to a certificate
		token, _, err := h.run(ctx, "token", "--as", organisation)
		if err != nil {
			return err
		}
		if parts := strings.Split(strings.TrimSpace(token), "."); len(parts) != 3 {
			return fmt.Errorf("%s: got no token: %q", organisation, token)
		}
		body, transaction, err := h.call(ctx, "--as", organisation, addressCall)
		if err != nil {
			return err
		}
		if !strings.Contains(body, `"postcode":"9990AA"`) {
			return fmt.Errorf("%s got another answer: %s", organisation, body)
		}
		var found transactionAnswer
		if err := h.query(ctx, &found, "trace", "--as", organisation, transaction); err != nil {
			return err
		}
		if err := found.between(h.Demo.Organisations[organisation].OIN, h.Demo.Organisations["noorderhub"].OIN); err != nil {
			return err
		}
		h.say("%s: token, address, and the trace of it", organisation)
	}
	return nil
}

func refusal(ctx context.Context, h *hub) error {
	out, told, err := h.run(ctx, "call", "--as", "emmen", addressCall)
	if err == nil {
		return fmt.Errorf("emmen has no contract and got: %s", out)
	}
	if !strings.Contains(told, "refused") || !strings.Contains(told, "/portaal/fouten/") {
		return fmt.Errorf("the refusal does not say what to do: %s", told)
	}
	h.say("emmen: refused, with the page that says what to do")
	return nil
}

// clientsOfOthers lets libraries that others wrote do it over TLS, through HAProxy.
func clientsOfOthers(ctx context.Context, h *hub) error {
	dir := filepath.Join(h.root, "infra", "e2e", "clients")
	if out, err := shell(ctx, dir, "npm ci --ignore-scripts --no-audit --no-fund --loglevel=error"); err != nil {
		return fmt.Errorf("npm: %w\n%s", err, out)
	}
	for _, name := range []string{"openid-client", "oauth4webapi"} {
		out, err := shell(ctx, dir, "node "+name+".mjs \"$DEMO\" groningen \"$TARGET\"",
			"DEMO="+filepath.Join(h.Data, "demo.json"), "TARGET="+examplePath, "NODE_EXTRA_CA_CERTS="+h.Demo.CA)
		if err != nil {
			return err
		}
		if !strings.Contains(out, `"postcode":"9990AA"`) {
			return fmt.Errorf("%s got another answer:\n%s", name, out)
		}
	}
	h.say("openid-client and oauth4webapi: token from metadata and the address")
	return nil
}

// handOver hands one case over and follows the call that asks how it went, as both organisations.
func handOver(ctx context.Context, h *hub) error {
	id, err := h.handOver(ctx, nil)
	if err != nil {
		return err
	}
	agreement := h.agreement("groningen", "assen")
	_, transaction, err := h.call(ctx, "--as", "groningen", "--resource", h.URL+"/overdracht", "--scope", agreement+" overdracht.lezen",
		"GET /overdracht/v1/uitwisselingen/"+id)
	if err != nil {
		return err
	}
	sender, receiver := h.Demo.Organisations["groningen"].OIN, h.Demo.Organisations["assen"].OIN
	for _, organisation := range []string{"groningen", "assen", "noorderhub"} {
		if err := eventually(ctx, patience, func(ctx context.Context) error { // spans travel in batches
			var found transactionAnswer
			if err := h.query(ctx, &found, "trace", "--as", organisation, transaction); err != nil {
				return err
			}
			if !slices.ContainsFunc(found.Spans, func(s span) bool { return s.Part == "cases" }) {
				return fmt.Errorf("%w: no span of the case exchange in the trace: %+v", errNotYet, found.Spans)
			}
			return found.between(sender, receiver)
		}); err != nil {
			return fmt.Errorf("trace as %s: %w", organisation, err)
		}
	}
	h.say("case %s handed over, receipts verified, traced over two organisations", id)
	return nil
}

// agreement is the short name under which an organisation uses another's case exchange.
func (h *hub) agreement(consumer, provider string) string {
	for _, a := range h.Demo.Organisations[consumer].Agreements {
		if a.Service == "overdracht" && a.Provider == provider {
			return a.Name
		}
	}
	return ""
}

// transactionAnswer is what is looked at of hubctl trace --json.
type transactionAnswer struct {
	Calls []struct {
		Consumer string `json:"afnemer"`
		Provider string `json:"aanbieder"`
		Permit   bool   `json:"toegestaan"`
	} `json:"aanroepen"`
	Spans []span `json:"spans"`
}

type span struct {
	Part string `json:"onderdeel"`
}

func (t transactionAnswer) between(consumer, provider string) error {
	if len(t.Calls) != 1 {
		return fmt.Errorf("the trace has %d calls, want 1", len(t.Calls))
	}
	if c := t.Calls[0]; c.Consumer != consumer || c.Provider != provider || !c.Permit {
		return fmt.Errorf("the trace shows another call: %+v", c)
	}
	return nil
}

var errNotYet = errors.New("not yet")
