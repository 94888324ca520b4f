package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	registry "noorderhub.nl/hub/services/registry/api"
)

type agreements struct {
	Agreements []registry.AgreementView `json:"afspraken"`
}

func (c *cli) contractCommand() *cobra.Command {
	list := c.act("list", "contracts of the organisation, with whom they wait for (afspraken)", []string{"lijst"}, cobra.NoArgs,
		func(ctx context.Context, o *office, _ []string) error {
			return read(ctx, o, "/afspraken", showAgreements)
		})
	show := c.act("show CONTRACT", "one contract with its grants (een afspraak)", []string{"toon"}, cobra.ExactArgs(1),
		func(ctx context.Context, o *office, args []string) error {
			a, err := o.contract(ctx, args[0])
			if err != nil {
				return err
			}
			return read(ctx, o, "/afspraken/"+a.Hash, showAgreement)
		})
	return c.group("contract", "agreements: propose, sign, narrow, end (afspraken)", []string{"afspraak"},
		list, show, c.proposeCommand(),
		c.signCommand("accept", "accept a contract; not by who proposed it (aanvaarden)", "aanvaard"),
		c.signCommand("reject", "reject a contract that waits (afwijzen)", "wijs-af"),
		c.signCommand("revoke", "end a contract, for good (intrekken)", "trek-in"),
		c.act("remind CONTRACT", "remind those who still have to sign, once a day (herinneren)", []string{"herinner"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error {
				a, err := o.contract(ctx, args[0])
				if err != nil {
					return err
				}
				return o.change(ctx, http.MethodPost, "/afspraken/"+a.Hash+"/herinnering", "", nil)
			}),
		c.templateCommand(), c.offerCommand(), c.renewCommand(), c.compareCommand(), c.narrowCommand(), c.widenCommand())
}

func (c *cli) signCommand(kind, short, alias string) *cobra.Command {
	var reason string
	cmd := c.act(kind+" CONTRACT", short, []string{alias}, cobra.ExactArgs(1),
		func(ctx context.Context, o *office, args []string) error {
			a, err := o.contract(ctx, args[0])
			if err != nil {
				return err
			}
			return o.change(ctx, http.MethodPost, "/afspraken/"+a.Hash+"/handtekeningen", "", registry.SignatureBody{Kind: kind, Reason: reason})
		})
	if kind != "accept" {
		cmd.Flags().StringVar(&reason, "reason", "", "the other parties read it (reden)")
	}
	return cmd
}

// renewCommand proposes a contract again, with the terms it has.
func (c *cli) renewCommand() *cobra.Command {
	var d registry.ContractDraft
	var from, until string
	cmd := c.act("renew CONTRACT", "propose the successor of a contract, with its terms (opvolger)", []string{"verleng"}, cobra.ExactArgs(1),
		func(ctx context.Context, o *office, args []string) error {
			a, err := o.contract(ctx, args[0])
			if err != nil {
				return err
			}
			d.Predecessor = a.Hash
			if d.Name == "" {
				d.Name = a.Name
			}
			if d.From, err = moment(from, time.Now()); err != nil {
				return err
			}
			if d.Till, err = moment(until, a.NotAfter.AddDate(1, 0, 0)); err != nil {
				return err
			}
			return o.change(ctx, http.MethodPost, "/afspraken", "", d)
		})
	cmd.Flags().StringVar(&d.Name, "name", "", "what people call it; default as before (naam)")
	cmd.Flags().StringVar(&from, "from", "", "first day; default now (vanaf)")
	cmd.Flags().StringVar(&until, "until", "", "end; default a year after the old one (tot)")
	return cmd
}

func (c *cli) compareCommand() *cobra.Command {
	var with string
	cmd := c.act("compare CONTRACT", "what it changes, in words (vergelijken)", []string{"vergelijk"}, cobra.ExactArgs(1),
		func(ctx context.Context, o *office, args []string) error {
			a, err := o.contract(ctx, args[0])
			if err != nil {
				return err
			}
			path := "/afspraken/" + a.Hash + "/vergelijking"
			if with != "" {
				path += "?met=" + url.QueryEscape(with)
			}
			return read(ctx, o, path, func(w *tabwriter.Writer, v registry.ComparisonView) {
				if v.With == "" {
					fmt.Fprintln(w, "there is nothing before it")
				}
				for _, x := range v.Changes {
					fmt.Fprintf(w, "%s\t%s\t%s\n", effects[x.Effect], x.Service, x.EN)
				}
			})
		})
	cmd.Flags().StringVar(&with, "with", "", "hash of another contract, or a template PROVIDER/ID; default its predecessor (met)")
	return cmd
}

// effects are the words for what a difference means.
var effects = map[string]string{"ruimer": "wider", "beperkter": "narrower", "anders": "changed"}

func (c *cli) proposeCommand() *cobra.Command {
	var g registry.GrantDraft
	var d registry.ContractDraft
	var from, until, file string
	cmd := c.act("propose", "propose a contract (een afspraak voorstellen)", []string{"stel-voor"}, cobra.NoArgs,
		func(ctx context.Context, o *office, _ []string) (err error) {
			if file != "" {
				text, err := os.ReadFile(file)
				if err != nil {
					return err
				}
				d.Contract = text
				return o.change(ctx, http.MethodPost, "/afspraken", "", d)
			}
			if g.Consumer == "" && g.Kind == "" {
				g.Consumer = o.client.OIN
			}
			if g.ProcessingActivity, err = o.activity(ctx, g.ProcessingActivity); err != nil {
				return err
			}
			for _, of := range []*string{&g.Consumer, &g.Provider, &g.Delegator} {
				if *of != "" {
					if *of, err = o.oin(ctx, *of); err != nil {
						return err
					}
				}
			}
			if d.From, err = moment(from, time.Now()); err != nil {
				return err
			}
			if d.Till, err = moment(until, d.From.AddDate(1, 0, 0)); err != nil {
				return err
			}
			d.Grants = []registry.GrantDraft{g}
			return o.change(ctx, http.MethodPost, "/afspraken", "", d)
		})
	f := cmd.Flags()
	f.StringVar(&d.Name, "name", "", "what people call it (naam)")
	f.StringVar(&g.Consumer, "consumer", "", "who calls; default: the own organisation (afnemer)")
	f.StringVar(&g.Provider, "provider", "", "whose service it is (aanbieder)")
	f.StringVar(&g.Delegator, "on-behalf-of", "", "organisation for which the consumer calls (namens)")
	f.StringVar(&g.Kind, "kind", "", "publicatie: a provider publishes for --on-behalf-of; default a connection (soort)")
	f.StringVar(&g.Service, "service", "", "name of the service (dienst)")
	f.StringVar(&g.Purpose, "purpose", "", "what for (doel)")
	f.StringVar(&g.LegalBasis, "legal-basis", "", "article of law (grondslag)")
	f.StringVar(&g.ProcessingActivity, "activity", "", "processing activity: id in the own register, or the URI of another one (verwerkingsactiviteit)")
	f.StringSliceVar(&g.Scopes, "scope", nil, "scopes, with commas or more than once (rechten)")
	f.StringVar(&g.Binding, "binding", "", "none, any or mtls (binding)")
	f.IntVar(&g.Rate, "rate", 0, "calls per second (per seconde)")
	f.IntVar(&g.Quota, "quota", 0, "calls per day (per dag)")
	f.StringVar(&from, "from", "", "first day, 2027-01-31; default now (vanaf)")
	f.StringVar(&until, "until", "", "end, 2027-12-31; default a year later (tot)")
	f.StringVar(&file, "file", "", "FSC JSON that the organisation made and signed itself, instead of the rest (bestand)")
	return cmd
}

func (c *cli) narrowCommand() *cobra.Command {
	var b registry.NarrowingBody
	cmd := c.act("narrow CONTRACT", "take something from a contract, at once and reversibly (beperken)", []string{"beperk"}, cobra.ExactArgs(1),
		func(ctx context.Context, o *office, args []string) error {
			return o.grants(ctx, args[0], func(grant string) error {
				return o.change(ctx, http.MethodPut, "/toestemmingen/"+grant+"/beperking", "", b)
			})
		})
	cmd.Flags().BoolVar(&b.Suspended, "suspend", false, "no calls at all (opschorten)")
	cmd.Flags().IntVar(&b.Rate, "rate", 0, "at most so many calls per second (per seconde)")
	cmd.Flags().StringSliceVar(&b.BlockedScopes, "block", nil, "scopes that are closed (geblokkeerde rechten)")
	cmd.Flags().StringVar(&b.Reason, "reason", "", "the other side reads it (reden)")
	return cmd
}

func (c *cli) widenCommand() *cobra.Command {
	return c.act("widen CONTRACT", "take the own narrowing back (beperking opheffen)", []string{"hef-op"}, cobra.ExactArgs(1),
		func(ctx context.Context, o *office, args []string) error {
			return o.grants(ctx, args[0], func(grant string) error {
				return o.change(ctx, http.MethodDelete, "/toestemmingen/"+grant+"/beperking", "", nil)
			})
		})
}

// contract finds one by its hash or by a name that only one has.
func (o *office) contract(ctx context.Context, name string) (registry.AgreementView, error) {
	var all agreements
	if _, err := o.api.Do(ctx, http.MethodGet, "/afspraken", "", nil, &all); err != nil {
		return registry.AgreementView{}, err
	}
	var found []registry.AgreementView
	for _, a := range all.Agreements {
		if a.Hash == name || a.Name == name && a.Name != "" {
			found = append(found, a)
		}
	}
	switch len(found) {
	case 0:
		return registry.AgreementView{}, fmt.Errorf("the organisation has no contract %q; see: hubctl contract list", name)
	case 1:
		return found[0], nil
	}
	return registry.AgreementView{}, fmt.Errorf("%d contracts are called %q; name one by its hash", len(found), name)
}

// grants does something for a grant named by its hash, or for every grant of a contract.
func (o *office) grants(ctx context.Context, name string, do func(grant string) error) error {
	if strings.HasPrefix(name, "$1$") && !strings.HasPrefix(name, "$1$1$") {
		return do(name)
	}
	a, err := o.contract(ctx, name)
	if err != nil {
		return err
	}
	for _, g := range a.Grants {
		err = errors.Join(err, do(g.Hash))
	}
	return err
}

func moment(text string, standard time.Time) (time.Time, error) {
	if text == "" {
		return standard.UTC().Truncate(time.Second), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a date such as 2027-01-31", text)
}

func showAgreements(w *tabwriter.Writer, all agreements) {
	for _, a := range all.Agreements {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", nameOf(a), a.State, a.NotAfter.Format(time.DateOnly), waitsFor(a))
	}
}

func nameOf(a registry.AgreementView) string {
	if a.Name == "" {
		return a.Hash
	}
	return a.Name
}

// waitsFor tells who has to act, and since when.
func waitsFor(a registry.AgreementView) string {
	if a.State != "PROPOSED" || len(a.Missing) == 0 {
		return ""
	}
	text := "waits for " + strings.Join(a.Missing, ", ")
	if a.Since != nil {
		text += " since " + a.Since.Local().Format("2006-01-02 15:04")
	}
	return text
}

func showAgreement(w *tabwriter.Writer, a registry.AgreementDetail) {
	line := func(label, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", label, value)
		}
	}
	line("contract", nameOf(a.AgreementView))
	line("hash", a.Hash)
	line("state", a.State)
	line("", waitsFor(a.AgreementView))
	line("window", a.NotBefore.Format(time.DateOnly)+" to "+a.NotAfter.Format(time.DateOnly))
	for _, g := range a.Grants {
		line("grant", g.Hash)
		line("  who", g.Consumer+" calls "+g.Service+" of "+g.Provider)
		line("  on behalf of", g.Delegator)
		line("  purpose", g.Purpose)
		line("  legal basis", g.LegalBasis)
		line("  scopes", strings.Join(g.Scopes, " "))
		for _, n := range g.Narrowings {
			what := []string{}
			if n.Suspended {
				what = append(what, "suspended")
			}
			if n.Rate > 0 {
				what = append(what, fmt.Sprintf("%d per second", n.Rate))
			}
			if len(n.BlockedScopes) > 0 {
				what = append(what, "closed: "+strings.Join(n.BlockedScopes, " "))
			}
			line("  narrowed by "+n.By, strings.Join(what, ", ")+" ("+n.Reason+")")
		}
	}
}
