package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"noorderhub.nl/hub/libs/errs"
	cases "noorderhub.nl/hub/services/cases/api"
)

// transferFlags are what is said of a transfer besides the case.
type transferFlags struct {
	to, kind, caseType, until string
	try                       bool
	wait                      time.Duration
}

func (c *cli) transferCommand() *cobra.Command {
	var from string
	var f transferFlags
	cmd := &cobra.Command{
		Use:     "transfer --from ORG --to ORG case.json",
		Aliases: []string{"draag-over"},
		Short:   "hand a case to another organisation; the same command again goes on (een zaak overdragen)",
		Long: `Offers the case; once the receiver accepted, delivers it; after that shows where it stands. The id of the transfer
follows from the parties and the bytes of the case, so the same command again goes on where it was.

De eerste keer biedt het de zaak aan; na de acceptatie levert hetzelfde commando haar af; daarna toont het de toestand.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.as = from
			s, err := c.open(cmd.Context())
			if err != nil {
				return err
			}
			text, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			document, err := c.readCase(text)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			offer, err := s.offerOf(document, f)
			if err != nil {
				return err
			}
			if f.try {
				return c.tryOffer(cmd.Context(), s, f.to, offer)
			}
			return c.transfer(cmd.Context(), s, handing{to: f.to, offer: offer, document: document}, f.wait)
		},
	}
	cmd.PersistentFlags().StringVar(&from, "from", "", "organisation that hands the case over (verzender)")
	cmd.PersistentFlags().StringVar(&f.to, "to", "", "organisation that gets it, by its short name or OIN (ontvanger)")
	flags := cmd.Flags()
	flags.BoolVar(&f.try, "try", false, "let the hub check the offer and send nothing (proef)")
	flags.StringVar(&f.kind, "kind", cases.KindHandover, "afschrift, behandeling or overdracht (soort)")
	flags.StringVar(&f.caseType, "type", "", "identificatie of the zaaktype in its catalogue; default: the end of its URL (zaaktype)")
	flags.StringVar(&f.until, "until", "", "deadline of the offer, such as 2026-12-31T17:00:00Z (vervalt op)")
	flags.DurationVar(&f.wait, "wait", 0, "follow it and do the rest, for this long at most (wachten)")
	cmd.AddCommand(c.withdrawCommand(&from, &f.to), c.closeCommand(&from, &f.to))
	return cmd
}

// handing is one transfer from the side of its sender.
type handing struct {
	to       string // slug or OIN of the receiver
	offer    cases.Offer
	document caseDocument
}

// stage is what stands on stdout with --json.
type stage struct {
	Transfer cases.Transfer  `json:"uitwisseling"`
	Receipts []cases.Receipt `json:"ontvangstbewijzen"` // checked
	Next     string          `json:"volgendeStap,omitempty"`
}

// transfer offers, delivers where that may be done, and shows where it stands.
func (c *cli) transfer(ctx context.Context, s *session, h handing, wait time.Duration) error {
	deadline := time.Now().Add(wait)
	id, err := transferID(s.client.OIN, h.offer)
	if err != nil {
		return err
	}
	cursor := ""
	var t cases.Transfer
	for {
		t, err = s.advance(ctx, id, h)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && (ended(t.State) || wait == 0):
			return c.showStage(ctx, s, h.to, t)
		case err != nil && (wait == 0 || !passing(err)):
			return explain(err)
		case !time.Now().Before(deadline):
			if err != nil {
				return explain(err)
			}
			return errors.Join(c.showStage(ctx, s, h.to, t), fmt.Errorf("after %s the transfer is still %s", wait, t.State))
		}
		if cursor, err = s.awaitEvent(ctx, h.to, cursor, time.Until(deadline)); err != nil && !passing(err) {
			return explain(err)
		}
	}
}

// advance does what the sender can do now.
func (s *session) advance(ctx context.Context, id string, h handing) (cases.Transfer, error) {
	client, err := s.exchange(ctx, h.to, cases.ScopeRead, cases.ScopeOffer)
	if err != nil {
		return cases.Transfer{}, err
	}
	t, err := client.Offer(ctx, id, h.offer)
	if err != nil || t.State != cases.StateAccepted || t.Frozen {
		return t, err
	}
	return client.Deliver(onTrace(ctx, t.Trace), id, 0, h.document.text)
}

func ended(state string) bool {
	switch state {
	case cases.StateOffered, cases.StateAccepted, cases.StateDelivered:
		return false
	}
	return true // what is left to the sender after the acknowledgement is for people
}

// passing tells whether an error may be over in a moment: a part that restarts, a connection that broke.
func passing(err error) bool {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.Title == "temporarily_unavailable" // of the token endpoint
	}
	e, ok := errors.AsType[*errs.Error](err)
	return !ok || e.Code.Kind == errs.Unavailable || e.Code.Kind == errs.Timeout || e.Code.Kind == errs.TooMany || e.Code.Kind == errs.BadGateway
}

const (
	eventWait  = 5 * time.Second        // of one look at the feed; a part that came back is noticed within it
	eventPause = 500 * time.Millisecond // after a look that failed
)

// awaitEvent returns when something happened after the cursor, or soon may have. An empty cursor is put at the end of the
// feed first, with one look at the transfer to follow.
func (s *session) awaitEvent(ctx context.Context, to, cursor string, most time.Duration) (string, error) {
	client, err := s.exchange(ctx, to, cases.ScopeRead, cases.ScopeOffer)
	if err != nil {
		return cursor, errors.Join(err, pause(ctx, eventPause))
	}
	wait := min(eventWait, max(most, time.Second))
	if cursor == "" {
		wait = 0
	}
	for {
		page, err := client.Events(ctx, cursor, wait)
		if err != nil {
			return cursor, errors.Join(err, pause(ctx, eventPause))
		}
		if cursor = page.Next; wait > 0 || len(page.Events) == 0 {
			return cursor, nil
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// showStage prints where a transfer stands for its sender. A declined case was not handed over: that is no success.
func (c *cli) showStage(ctx context.Context, s *session, to string, t cases.Transfer) error {
	client, err := s.exchange(ctx, to, cases.ScopeRead, cases.ScopeOffer)
	if err != nil {
		return explain(err)
	}
	receipts, err := s.receipts(ctx, client, t.ID)
	if err != nil {
		return err
	}
	next := map[string]string{
		cases.StateOffered:      fmt.Sprintf("hubctl inbox --as %s accept %s", to, t.ID),
		cases.StateAcknowledged: fmt.Sprintf("hubctl transfer close %s --from %s --to %s, once your own case is closed", t.ID, c.as, to),
		cases.StateDelivered:    fmt.Sprintf("hubctl inbox --as %s acknowledge %s --number NUMBER", to, t.ID),
	}[t.State]
	if c.json {
		err = c.print(stage{Transfer: t, Receipts: receipts, Next: next})
	} else {
		c.showTransfer(s.hub, t, receipts)
		if next != "" {
			fmt.Fprintf(c.stdout, "  %-10s %s\n", "next", next)
		}
	}
	switch t.State {
	case cases.StateDeclined, cases.StateWithdrawn, cases.StateRefused:
		err = errors.Join(err, fmt.Errorf("%s: %s", words[t.State], t.Reason))
	case cases.StateExpired:
		err = errors.Join(err, errors.New("expired: it was not delivered in time"))
	}
	return err
}
