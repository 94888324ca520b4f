package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	registry "noorderhub.nl/hub/services/registry/api"
)

// templateCommand is about the terms on which a provider agrees to its service.
func (c *cli) templateCommand() *cobra.Command {
	var b registry.TemplateBody
	set := c.act("set ID", "state the terms for a service of the own organisation (wijzigen)", []string{"wijzig"}, cobra.ExactArgs(1),
		func(ctx context.Context, o *office, args []string) error {
			return o.change(ctx, http.MethodPut, "/sjablonen/"+args[0], "", b)
		})
	f := set.Flags()
	f.StringVar(&b.Title, "title", "", "what people call it (titel)")
	f.IntVar(&b.Days, "days", 365, "how long a contract of it lasts (dagen)")
	f.StringVar(&b.Grant.Service, "service", "", "name of the service (dienst)")
	f.StringVar(&b.Grant.Purpose, "purpose", "", "what for (doel)")
	f.StringVar(&b.Grant.LegalBasis, "legal-basis", "", "article of law (grondslag)")
	f.StringVar(&b.Grant.ProcessingActivity, "activity", "", "URI of the processing activity (verwerkingsactiviteit)")
	f.StringSliceVar(&b.Grant.Scopes, "scope", nil, "scopes, with commas or more than once (rechten)")
	f.StringVar(&b.Grant.Binding, "binding", "", "none, any or mtls (binding)")
	f.IntVar(&b.Grant.Rate, "rate", 0, "calls per second (per seconde)")
	f.IntVar(&b.Grant.Quota, "quota", 0, "calls per day (per dag)")
	cmd := &cobra.Command{Use: "template", Short: "terms that contracts start from (sjablonen)", Aliases: []string{"sjabloon"}}
	cmd.AddCommand(set,
		c.act("list", "templates of the catalogue and the own ones (lijst)", []string{"lijst"}, cobra.NoArgs,
			func(ctx context.Context, o *office, _ []string) error {
				return read(ctx, o, "/sjablonen", func(w *tabwriter.Writer, all struct {
					Templates []registry.TemplateView `json:"sjablonen"`
				}) {
					for _, t := range all.Templates {
						fmt.Fprintf(w, "%s/%s\t%s\t%s\t%s\n", t.Provider, t.ID, t.Grant.Service, strings.Join(t.Grant.Scopes, " "), t.Title)
					}
				})
			}),
		c.act("remove ID", "take a template away (verwijderen)", []string{"verwijder"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error {
				return o.change(ctx, http.MethodDelete, "/sjablonen/"+args[0], "", nil)
			}))
	return cmd
}

// offerCommand offers a template to many organisations at once.
func (c *cli) offerCommand() *cobra.Command {
	var b registry.OfferBody
	var from, until string
	to := c.act("to ORG...", "offer a template to organisations, each with a contract of its own (aanbieden)", []string{"aan"}, cobra.MinimumNArgs(1),
		func(ctx context.Context, o *office, args []string) (err error) {
			if b.From, err = moment(from, time.Now()); err != nil {
				return err
			}
			if until != "" {
				if b.Till, err = moment(until, time.Time{}); err != nil {
					return err
				}
			}
			for _, name := range args {
				oin, err := o.oin(ctx, name)
				if err != nil {
					return err
				}
				b.Consumers = append(b.Consumers, oin)
			}
			var v registry.OfferView
			if _, err := o.api.Do(ctx, http.MethodPost, "/aanbiedingen", "", b, &v); err != nil {
				return err
			}
			if o.json {
				return o.print(v)
			}
			fmt.Fprintln(o.stdout, v.ID)
			return nil
		})
	to.Flags().StringVar(&b.Template, "template", "", "id of the own template (sjabloon)")
	to.Flags().StringVar(&b.Title, "title", "", "what people call the offer (titel)")
	to.Flags().StringVar(&from, "from", "", "first day; default now (vanaf)")
	to.Flags().StringVar(&until, "until", "", "end; default as long as the template says (tot)")
	count := func(use, short, alias, path, told string) *cobra.Command {
		return c.act(use, short, []string{alias}, cobra.ExactArgs(1), func(ctx context.Context, o *office, args []string) error {
			var v registry.CountView
			if _, err := o.api.Do(ctx, http.MethodPost, "/aanbiedingen/"+args[0]+path, "", nil, &v); err != nil {
				return err
			}
			fmt.Fprintf(o.stdout, "%d %s\n", v.Count, told)
			return nil
		})
	}
	cmd := &cobra.Command{Use: "offer", Short: "one template for many organisations (aanbiedingen)", Aliases: []string{"aanbieding"}}
	cmd.AddCommand(to,
		count("accept ID", "accept all contracts of an offer as provider (aanvaarden)", "aanvaard", "/handtekeningen", "signed"),
		count("remind ID", "remind those who still have to sign (herinneren)", "herinner", "/herinnering", "reminded"),
		c.act("list", "offers of the organisation (lijst)", []string{"lijst"}, cobra.NoArgs,
			func(ctx context.Context, o *office, _ []string) error {
				return read(ctx, o, "/aanbiedingen", func(w *tabwriter.Writer, all struct {
					Offers []registry.OfferView `json:"aanbiedingen"`
				}) {
					for _, v := range all.Offers {
						fmt.Fprintf(w, "%s\t%s\tsigned %d\twaiting %d\tdeclined %d\n", v.ID, v.Title, v.Signed, v.Waiting, v.Declined)
					}
				})
			}),
		c.act("board ID", "who signed, who it waits for since when, who declined and why (bord)", []string{"bord"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error {
				return read(ctx, o, "/aanbiedingen/"+args[0], showBoard)
			}))
	return cmd
}

func showBoard(w *tabwriter.Writer, v registry.OfferView) {
	for _, l := range v.Lines {
		since, waits := "", ""
		if l.Since != nil {
			since = l.Since.Local().Format("2006-01-02 15:04")
		}
		for _, x := range l.Waiting {
			waits += " " + x.Name
		}
		if waits != "" {
			waits = "waits for" + waits
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", l.Name, l.State, since, waits, l.Reason)
	}
}

// standInCommand lets a colleague approve while an approver is away.
func (c *cli) standInCommand() *cobra.Command {
	var b registry.StandInBody
	var from, until string
	cmd := c.act("stand-in ID [COLLEAGUE]", "let a colleague approve for an approver who is away; nobody ends it (vervanging)", []string{"vervanging"}, cobra.RangeArgs(1, 2),
		func(ctx context.Context, o *office, args []string) (err error) {
			path := "/personen/" + args[0] + "/vervanging"
			if len(args) == 1 {
				return o.change(ctx, http.MethodDelete, path, "", nil)
			}
			b.Person = args[1]
			if b.From, err = moment(from, time.Now()); err != nil {
				return err
			}
			if b.Till, err = moment(until, b.From.AddDate(0, 0, 14)); err != nil {
				return err
			}
			return o.change(ctx, http.MethodPut, path, "", b)
		})
	cmd.Flags().StringVar(&from, "from", "", "first day; default now (vanaf)")
	cmd.Flags().StringVar(&until, "until", "", "end; default two weeks later (tot)")
	return cmd
}
