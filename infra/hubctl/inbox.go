package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	cases "noorderhub.nl/hub/services/cases/api"
)

// maxShown bounds the list of transfers.
const maxShown = 1000

// inbox is one organisation's side of the case exchange.
type inbox struct {
	*cli
	as          string
	role, state string
}

func (c *cli) inboxCommand() *cobra.Command {
	b := &inbox{cli: c}
	cmd := &cobra.Command{
		Use:     "inbox --as ORG",
		Aliases: []string{"postvak"},
		Short:   "cases that came in and went out, and what may be done (zaken die binnenkwamen en weggingen)",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return b.with(cmd.Context(), b.list, cases.ScopeRead)
		},
	}
	cmd.PersistentFlags().StringVar(&b.as, "as", "", "organisation to act as (namens welke organisatie)")
	cmd.Flags().StringVar(&b.role, "role", "", "only those in which the organisation is verzender or ontvanger (rol)")
	cmd.Flags().StringVar(&b.state, "state", "", "only those in this state, such as aangeboden (toestand)")
	cmd.AddCommand(b.acceptCommand(), b.declineCommand(), b.acknowledgeCommand(), b.refuseCommand(), b.showCommand(), b.caseCommand(), b.receiptsCommand())
	return cmd
}

// with runs an act as the organisation, under the agreement for its own inbox.
func (b *inbox) with(ctx context.Context, act func(context.Context, *session, *cases.Client) error, scopes ...string) error {
	b.cli.as = b.as
	s, err := b.open(ctx)
	if err != nil {
		return err
	}
	client, err := s.exchange(ctx, b.as, scopes...)
	if err != nil {
		return err
	}
	return act(ctx, s, client)
}

func (b *inbox) list(ctx context.Context, s *session, client *cases.Client) error {
	query := url.Values{"aantal": {"100"}}
	if b.role != "" {
		query.Set("rol", b.role)
	}
	if b.state != "" {
		query.Set("toestand", b.state)
	}
	all := cases.TransferPage{Transfers: []cases.Transfer{}}
	for len(all.Transfers) < maxShown {
		page, err := client.Transfers(ctx, query)
		if err != nil {
			return explain(err)
		}
		all.Transfers = append(all.Transfers, page.Transfers...)
		if all.Next = page.Next; page.Next == "" {
			break
		}
		query.Set("cursor", page.Next)
	}
	if b.json {
		return b.print(all)
	}
	name := namesOf(s.hub)
	if len(all.Transfers) == 0 {
		fmt.Fprintln(b.stdout, "no transfers")
	}
	for _, t := range all.Transfers {
		direction, other := "in  from", t.Sender
		if t.Role == cases.RoleSender {
			direction, other = "out to  ", t.Receiver
		}
		fmt.Fprintf(b.stdout, "%s  %s %-24s %-12s %s  %s", t.ID, direction, name(other), words[t.State], t.ChangedAt.Local().Format(time.DateTime), t.Case.ID)
		if may := allowed(t); may != "" {
			fmt.Fprintf(b.stdout, "  may: %s", may)
		}
		fmt.Fprintln(b.stdout)
	}
	if all.Next != "" {
		fmt.Fprintln(b.stderr, "there are more; choose with --role and --state")
	}
	return nil
}

// onID makes a verb on one transfer.
func (b *inbox) onID(use, alias, short string, scopes []string, act func(ctx context.Context, s *session, client *cases.Client, id string) error) *cobra.Command {
	return &cobra.Command{
		Use: use + " ID", Aliases: []string{alias}, Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return b.with(cmd.Context(), func(ctx context.Context, s *session, client *cases.Client) error {
				return act(ctx, s, client, args[0])
			}, scopes...)
		},
	}
}

var (
	reading   = []string{cases.ScopeRead}
	receiving = []string{cases.ScopeRead, cases.ScopeReceive}
)

// command carries a command out on the trace of the offer.
func (b *inbox) command(
	ctx context.Context, s *session, client *cases.Client, id string, do func(context.Context) (cases.Transfer, error),
) error {
	t, err := client.Transfer(ctx, id)
	if err == nil {
		t, err = do(onTrace(ctx, t.Trace))
	}
	return b.after(ctx, s, client, t, err)
}

// after shows a transfer once a command was carried out.
func (b *inbox) after(ctx context.Context, s *session, client *cases.Client, t cases.Transfer, err error) error {
	if err != nil {
		return explain(err)
	}
	receipts, err := s.receipts(ctx, client, t.ID)
	if err != nil {
		return err
	}
	if b.json {
		return b.print(stage{Transfer: t, Receipts: receipts})
	}
	b.showTransfer(s.hub, t, receipts)
	return nil
}

func (b *inbox) acceptCommand() *cobra.Command {
	return b.onID("accept", "neem-aan", "accept an offer (een aanbod aannemen)", receiving,
		func(ctx context.Context, s *session, client *cases.Client, id string) error {
			return b.command(ctx, s, client, id, func(ctx context.Context) (cases.Transfer, error) { return client.Accept(ctx, id, 0) })
		})
}

func (b *inbox) declineCommand() *cobra.Command {
	var reason string
	cmd := b.onID("decline", "wijs-af", "decline an offer (een aanbod afwijzen)", receiving,
		func(ctx context.Context, s *session, client *cases.Client, id string) error {
			if reason == "" {
				return errors.New("say why with --reason, without personal data")
			}
			return b.command(ctx, s, client, id, func(ctx context.Context) (cases.Transfer, error) {
				return client.Decline(ctx, id, 0, reason)
			})
		})
	cmd.Flags().StringVar(&reason, "reason", "", "why, without personal data (reden)")
	return cmd
}

func (b *inbox) acknowledgeCommand() *cobra.Command {
	var p cases.Processed
	cmd := b.onID("acknowledge", "verwerkt", "tell under which number the case was taken in (melden onder welk nummer de zaak is verwerkt)", receiving,
		func(ctx context.Context, s *session, client *cases.Client, id string) error {
			if p.ID == "" {
				return errors.New("say under which number with --number")
			}
			return b.command(ctx, s, client, id, func(ctx context.Context) (cases.Transfer, error) {
				return client.Acknowledge(ctx, id, 0, p)
			})
		})
	cmd.Flags().StringVar(&p.ID, "number", "", "identificatie of the case at the receiver (nummer)")
	cmd.Flags().StringVar(&p.URL, "url", "", "the case in the receiver's registry (adres van de zaak)")
	return cmd
}

func (b *inbox) showCommand() *cobra.Command {
	return b.onID("show", "toon", "show one transfer with its receipts (een uitwisseling tonen)", reading,
		func(ctx context.Context, s *session, client *cases.Client, id string) error {
			t, err := client.Transfer(ctx, id)
			return b.after(ctx, s, client, t, err)
		})
}

func (b *inbox) caseCommand() *cobra.Command {
	return b.onID("case", "zaak", "fetch a delivered case (een afgeleverde zaak ophalen)", reading,
		func(ctx context.Context, _ *session, client *cases.Client, id string) error {
			body, err := client.Case(ctx, id)
			if err != nil {
				return explain(err)
			}
			_, err = b.stdout.Write(body)
			return err
		})
}

func (b *inbox) receiptsCommand() *cobra.Command {
	return b.onID("receipts", "bewijzen", "check the receipts of a transfer (de ontvangstbewijzen controleren)", reading,
		func(ctx context.Context, s *session, client *cases.Client, id string) error {
			bundle, err := client.Receipts(ctx, id)
			if err != nil {
				return explain(err)
			}
			receipts, err := s.verify(bundle)
			if err != nil {
				return err
			}
			if b.json {
				return b.print(struct {
					cases.Bundle
					Checked []cases.Receipt `json:"gecontroleerd"`
				}{bundle, receipts})
			}
			name := namesOf(s.hub)
			for _, r := range receipts {
				fmt.Fprintf(b.stdout, "%d  %-12s  %s  by %s (%s)  checked\n", r.Sequence, words[r.Type], r.At.Local().Format(time.RFC3339), name(r.Actor), r.Actor)
			}
			return nil
		})
}
