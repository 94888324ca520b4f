package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// upstreamDown: the others serve; what may be repeated is tried there. None left: 503; one that hangs: 504.
func (c *chaos) upstreamDown(ctx context.Context) error {
	first, second := c.Process("address-1"), c.Process("address-2")
	if err := c.unharmed(ctx, func(ctx context.Context) error {
		first.Kill()
		wait(ctx, downFor)
		return nil
	}); err != nil {
		return fmt.Errorf("one of two: %w", err)
	}
	second.Pause()
	if a := c.required[0].call(ctx, "GET", examplePath); a.kind() != "504 upstream-timeout" {
		return fmt.Errorf("the last one hangs: %w", a.fault())
	}
	second.Kill()
	if err := eventually(ctx, patience, func(ctx context.Context) error {
		if a := c.required[0].call(ctx, "GET", examplePath); a.kind() != "503 service-unavailable" || !a.retryAfter {
			return fmt.Errorf("none left: %w", a.fault())
		}
		return nil
	}); err != nil {
		return err
	}
	return errors.Join(first.Start(ctx), second.Start(ctx))
}

// gatewayDown: only its calls in flight are lost.
func (c *chaos) gatewayDown(ctx context.Context) error {
	gateway := c.Process("gateway-2")
	counted, err := c.while(ctx, func(ctx context.Context) error {
		gateway.Kill()
		wait(ctx, downFor)
		return gateway.Start(ctx)
	})
	if err != nil {
		return err
	}
	c.say("  %s", counted)
	// Each connection carries one call at a time, and HAProxy may send one new connection there before it knows.
	if lost, most := counted.count(noAnswer), 2*len(c.everybody()); lost > most {
		return fmt.Errorf("%d calls got no answer, at most %d were in flight", lost, most)
	}
	return counted.only(answered, noAnswer)
}

// journalDown takes the journal away, which is the collector of spans and the logbook too. Calls go on until the gateways'
// logs are full; then those that demand a record are refused, and the others are counted. Afterwards every call that was
// answered under the first kind of agreement is in the journal.
func (c *chaos) journalDown(ctx context.Context) error {
	delivered, err := c.handOver(ctx, nil)
	if err != nil {
		return err
	}
	journal := c.Process("journal")
	dropped, lost := c.sum(ctx, "telemetry_spans_dropped"), c.sum(ctx, "gateway_log_lost")
	journal.Kill()
	required, open := startTraffic(ctx, c.required...), startTraffic(ctx, c.open...)
	defer func() { required.stop(); open.stop() }()
	const full = "503 log-unavailable"
	if err := eventually(ctx, patience, func(context.Context) error {
		if required.count(full) < 100 {
			return fmt.Errorf("the log is not full yet: %s", required.tally)
		}
		return nil
	}); err != nil {
		return err
	}
	if required.count(answered) == 0 {
		return errors.New("calls were refused before the log was full")
	}
	before := open.count(answered)
	wait(ctx, lookAround)
	if open.count(answered) <= before {
		return fmt.Errorf("calls under an open agreement stopped: %s", open.tally)
	}
	if out, told, err := c.run(ctx, "inbox", "--as", "assen", "case", delivered); err == nil {
		return fmt.Errorf("a case was read without its logbook: %s%s", out, told)
	}
	if now := c.sum(ctx, "gateway_log_lost"); now <= lost {
		return errors.New("records of open calls that could not be kept are not counted")
	}
	if now := c.sum(ctx, "telemetry_spans_dropped"); now <= dropped {
		return errors.New("spans that found no collector are not counted")
	}
	if err := journal.Start(ctx); err != nil {
		return err
	}
	wait(ctx, lookAround)
	counted, others := required.stop(), open.stop()
	c.say("  required: %s", counted)
	c.say("  open: %s", others)
	if err := errors.Join(counted.only(answered, full), others.only(answered)); err != nil {
		return err
	}
	return c.inJournal(ctx, counted.answered())
}

// inJournal looks every transaction up.
func (c *chaos) inJournal(ctx context.Context, transactions []string) error {
	reader, err := c.newCaller(ctx, "noorderhub", "journaal", "")
	if err != nil {
		return err
	}
	for _, id := range transactions {
		if err := eventually(ctx, patience, func(ctx context.Context) error {
			if a := reader.call(ctx, "GET", "/journaal/v1/transacties/"+id); a.kind() != answered {
				return fmt.Errorf("transaction %s was answered and is not in the journal: %w", id, a.fault())
			}
			return nil
		}); err != nil {
			return err
		}
	}
	c.say("  all %d calls that were answered are in the journal", len(transactions))
	return nil
}

// sum adds a metric over all gateways. One that a gateway does not have yet counts as nothing.
func (c *chaos) sum(ctx context.Context, metric string) float64 {
	total := 0.0
	for _, gateway := range c.Instances("gateway") {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, gateway.Admin+"/metrics", nil)
		if err != nil {
			continue
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			continue
		}
		defer resp.Body.Close()
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if fields := strings.Fields(lines.Text()); len(fields) > 1 && strings.HasPrefix(fields[0], metric) {
				if v, err := strconv.ParseFloat(fields[len(fields)-1], 64); err == nil {
					total += v
				}
			}
		}
	}
	return total
}
