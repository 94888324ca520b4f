package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	registry "noorderhub.nl/hub/services/registry/api"
)

func (c *cli) channelCommand() *cobra.Command {
	var b registry.ChannelBody
	var ca string
	body := func() (registry.ChannelBody, error) {
		if b.Kind = "webhook"; strings.Contains(b.Address, "@") && !strings.Contains(b.Address, "://") {
			b.Kind = "mail"
		}
		if ca == "" {
			return b, nil
		}
		text, err := os.ReadFile(ca)
		b.CA = string(text)
		return b, err
	}
	flags := func(cmd *cobra.Command) *cobra.Command {
		f := cmd.Flags()
		f.BoolVar(&b.Own, "own", false, "mail of the person in --by, not of a team (persoonlijk)")
		f.BoolVar(&b.Digest, "digest", false, "mail once a day (dagoverzicht)")
		f.StringVar(&b.Language, "language", "", "nl or en, of mail; default nl (taal)")
		f.StringSliceVar(&b.Types, "type", nil, "events it wants; default all (soorten)")
		f.StringVar(&ca, "ca", "", "webhook: PEM file of the receiver's authority (CA)")
		f.StringVar(&b.Pin, "pin", "", "webhook: base64 of the SHA-256 of the receiver's public key (pin)")
		return cmd
	}
	add := flags(c.act("add ADDRESS", "be told at a mail address or an https URL (toevoegen)", []string{"voeg-toe"}, cobra.ExactArgs(1),
		func(ctx context.Context, o *office, args []string) error {
			b.Address = args[0]
			given, err := body()
			if err != nil {
				return err
			}
			var v registry.ChannelView
			if _, err := o.api.Do(ctx, http.MethodPost, "/kanalen", "", given, &v); err != nil {
				return err
			}
			if o.json {
				return o.print(v)
			}
			fmt.Fprintf(o.stdout, "%s\n", v.ID)
			return nil
		}))
	set := flags(c.act("set ID ADDRESS", "change a channel, or use one again that ended (wijzigen)", []string{"wijzig"}, cobra.ExactArgs(2),
		func(ctx context.Context, o *office, args []string) error {
			b.Address = args[1]
			given, err := body()
			if err != nil {
				return err
			}
			return o.replace(ctx, "/kanalen/"+args[0], given)
		}))
	var event string
	retry := c.act("retry ID", "send again what could not be delivered (herhalen)", []string{"herhaal"}, cobra.ExactArgs(1),
		func(ctx context.Context, o *office, args []string) error {
			var n registry.RetryView
			if _, err := o.api.Do(ctx, http.MethodPost, "/kanalen/"+args[0]+"/herhaling", "", registry.RetryBody{Event: event}, &n); err != nil {
				return err
			}
			fmt.Fprintf(o.stdout, "%d on their way again\n", n.Count)
			return nil
		})
	retry.Flags().StringVar(&event, "event", "", "only this one (gebeurtenis)")
	return c.group("channel", "how the organisation is told: mail and webhooks (kanalen)", []string{"kanaal"}, add, set, retry, c.muteCommand(),
		c.act("list", "channels with how they fare (lijst)", []string{"lijst"}, cobra.NoArgs,
			func(ctx context.Context, o *office, _ []string) error { return read(ctx, o, "/kanalen", showChannels) }),
		c.act("test ID", "send a test message now (proef)", []string{"probeer"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error {
				var r registry.ResultView
				if _, err := o.api.Do(ctx, http.MethodPost, "/kanalen/"+args[0]+"/proef", "", nil, &r); err != nil {
					return err
				}
				if o.json {
					return o.print(r)
				}
				fmt.Fprintln(o.stdout, r.Text)
				if !r.OK {
					return fmt.Errorf("the test message was not taken: %s", r.Text)
				}
				return nil
			}),
		c.act("parked", "what could not be delivered (onbezorgd)", []string{"onbezorgd"}, cobra.NoArgs,
			func(ctx context.Context, o *office, _ []string) error {
				return read(ctx, o, "/bezorgingen", showParked)
			}),
		c.act("mutes", "what is muted now (dempingen)", []string{"dempingen"}, cobra.NoArgs,
			func(ctx context.Context, o *office, _ []string) error { return read(ctx, o, "/dempingen", showMutes) }),
		c.act("unmute ID", "lift a mute (opheffen)", []string{"hef-op"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error {
				_, err := o.api.Do(ctx, http.MethodDelete, "/dempingen/"+args[0], "", nil, nil)
				return err
			}),
		c.act("remove ID", "take a channel away (verwijderen)", []string{"verwijder"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error {
				match, err := o.current(ctx, "/kanalen/"+args[0])
				if err == nil {
					_, err = o.api.Do(ctx, http.MethodDelete, "/kanalen/"+args[0], match, nil, nil)
				}
				return err
			}))
}

func (c *cli) muteCommand() *cobra.Command {
	var m registry.MuteBody
	var until string
	cmd := c.act("mute", "keep channels quiet for a time; the events stay to be read (dempen)", []string{"demp"}, cobra.NoArgs,
		func(ctx context.Context, o *office, _ []string) error {
			at, err := moment(until, time.Now().AddDate(0, 0, 1))
			if err != nil {
				return err
			}
			m.Until = at
			var v registry.MuteView
			if _, err := o.api.Do(ctx, http.MethodPost, "/dempingen", "", m, &v); err != nil {
				return err
			}
			fmt.Fprintln(o.stdout, v.ID)
			return nil
		})
	cmd.Flags().StringVar(&m.Channel, "channel", "", "only this one (kanaal)")
	cmd.Flags().StringVar(&m.Person, "person", "", "only the mailbox of this person (persoon)")
	cmd.Flags().StringVar(&m.Type, "type", "", "only events of this type (soort)")
	cmd.Flags().StringVar(&until, "until", "", "end; default a day (tot)")
	return cmd
}

func showChannels(w *tabwriter.Writer, all struct {
	Channels []registry.ChannelView `json:"kanalen"`
}) {
	for _, v := range all.Channels {
		last := "not tried"
		if v.Last != nil {
			last = v.Last.Text
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", v.ID, v.Kind, v.Address, v.State, last)
	}
}

func showParked(w *tabwriter.Writer, all struct {
	Deliveries []registry.DeliveryView `json:"bezorgingen"`
}) {
	for _, v := range all.Deliveries {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", v.Event, v.Type, v.Channel, v.Result, v.When.Local().Format(time.DateTime))
	}
}

func showMutes(w *tabwriter.Writer, all struct {
	Mutes []registry.MuteView `json:"dempingen"`
}) {
	for _, v := range all.Mutes {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\tuntil %s\tby %s\n", v.ID, v.Channel, v.Person, v.Type, v.Until.Local().Format(time.DateTime), v.By)
	}
}
