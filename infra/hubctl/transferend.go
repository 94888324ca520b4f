package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	cases "noorderhub.nl/hub/services/cases/api"
)

// sending runs an act of a transfer's sender under its agreement with the receiver, and shows what came of it.
func (c *cli) sending(
	ctx context.Context, from, to, id string, act func(context.Context, *cases.Client) (cases.Transfer, error),
) error {
	c.as = from
	s, err := c.open(ctx)
	if err != nil {
		return err
	}
	client, err := s.exchange(ctx, to, cases.ScopeRead, cases.ScopeOffer)
	if err != nil {
		return err
	}
	return (&inbox{cli: c}).command(ctx, s, client, id, func(ctx context.Context) (cases.Transfer, error) { return act(ctx, client) })
}

func (c *cli) withdrawCommand(from, to *string) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "withdraw ID", Aliases: []string{"trek-in"}, Args: cobra.ExactArgs(1),
		Short: "take an offer back before the case is delivered (een aanbod intrekken)",
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return errors.New("say why with --reason, without personal data")
			}
			return c.sending(cmd.Context(), *from, *to, args[0], func(ctx context.Context, client *cases.Client) (cases.Transfer, error) {
				return client.Withdraw(ctx, args[0], 0, reason)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, without personal data (reden)")
	return cmd
}

func (c *cli) closeCommand(from, to *string) *cobra.Command {
	var source string
	cmd := &cobra.Command{
		Use: "close ID", Aliases: []string{"sluit"}, Args: cobra.ExactArgs(1),
		Short: "tell what became of the sender's own case, once the receiver took it in (een uitwisseling sluiten)",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.sending(cmd.Context(), *from, *to, args[0], func(ctx context.Context, client *cases.Client) (cases.Transfer, error) {
				return client.Close(ctx, args[0], 0, source)
			})
		},
	}
	cmd.Flags().StringVar(&source, "source", cases.SourceClosed, "afgesloten or loopt_door (bronzaak)")
	return cmd
}

func (b *inbox) refuseCommand() *cobra.Command {
	var r cases.Refuse
	cmd := b.onID("refuse", "weiger", "send a delivered case back (een afgeleverde zaak weigeren)", receiving,
		func(ctx context.Context, s *session, client *cases.Client, id string) error {
			if r.Reason == "" {
				return errors.New("say why with --reason, without personal data")
			}
			return b.command(ctx, s, client, id, func(ctx context.Context) (cases.Transfer, error) { return client.Refuse(ctx, id, 0, r) })
		})
	cmd.Flags().StringVar(&r.Code, "code", cases.RefusedOther, "onvolledig, onleesbaar, niet_voor_ons, al_bekend or anders (redencode)")
	cmd.Flags().StringVar(&r.Reason, "reason", "", "why, without personal data (reden)")
	return cmd
}

// tryOffer lets the hub check an offer.
func (c *cli) tryOffer(ctx context.Context, s *session, to string, offer cases.Offer) error {
	id, err := transferID(s.client.OIN, offer)
	if err != nil {
		return err
	}
	client, err := s.exchange(ctx, to, cases.ScopeRead, cases.ScopeOffer)
	if err != nil {
		return err
	}
	t, err := client.Try(ctx, id, offer)
	if err != nil {
		return explain(err)
	}
	if c.json {
		return c.print(stage{Transfer: t})
	}
	fmt.Fprintln(c.stdout, "the offer would be taken; nothing was sent")
	c.showTransfer(s.hub, t, nil)
	return nil
}
