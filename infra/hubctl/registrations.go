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

func (c *cli) clientCommand() *cobra.Command {
	var b registry.ClientBody
	var keys []string
	register := c.act("register ID", "register a client, or change it (registreren)", []string{"registreer"}, cobra.ExactArgs(1),
		func(ctx context.Context, o *office, args []string) error {
			for _, file := range keys {
				text, err := os.ReadFile(file)
				if err != nil {
					return err
				}
				b.Keys = append(b.Keys, registry.KeyBody{Public: string(text)})
			}
			for i, given := range b.Certificates {
				if text, err := os.ReadFile(given); err == nil {
					b.Certificates[i] = string(text)
				}
			}
			return o.replace(ctx, "/clients/"+args[0], b)
		})
	f := register.Flags()
	f.StringVar(&b.Name, "name", "", "what people call it (naam)")
	f.StringVar(&b.Profile, "profile", "nlgov", "nlgov or fapi2 (profiel)")
	f.StringVar(&b.Alg, "alg", "ES256", "RS256, PS256 or ES256 (algoritme)")
	f.StringVar(&b.JWKSURI, "jwks-uri", "", "https URL that the keys are read from, instead of --key (jwks_uri)")
	f.StringSliceVar(&keys, "key", nil, "file with a public key: JWK, JWK Set, PEM key or certificate (sleutel)")
	f.StringSliceVar(&b.Certificates, "certificate", nil, "file or x5t#S256 of a TLS certificate it may bind tokens to (certificaat)")
	f.BoolVar(&b.Disabled, "disabled", false, "no tokens for now (uitgeschakeld)")
	f.StringSliceVar(&b.AdminScopes, "admin-scope", nil, "scopes of the administration APIs; needs an administrator (beheerscopes)")
	return c.group("client", "OAuth clients of the organisation (clients)", nil,
		c.act("list", "clients with their keys (lijst)", []string{"lijst"}, cobra.NoArgs,
			func(ctx context.Context, o *office, _ []string) error { return read(ctx, o, "/clients", showClients) }),
		c.act("show ID", "one client (tonen)", []string{"toon"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error {
				return read(ctx, o, "/clients/"+args[0], showClient)
			}),
		register,
		c.act("remove ID", "take a client out (verwijderen)", []string{"verwijder"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error { return o.remove(ctx, "/clients/"+args[0]) }),
		c.act("assign ID NAME CONTRACT", "let a client use a contract under a short name (toewijzen)", []string{"wijs-toe"}, cobra.ExactArgs(3),
			func(ctx context.Context, o *office, args []string) error {
				return o.grants(ctx, args[2], func(grant string) error {
					return o.change(ctx, http.MethodPut, "/clients/"+args[0]+"/toewijzingen/"+args[1], "", registry.AssignmentBody{Grant: grant})
				})
			}),
		c.act("unassign ID NAME", "let a client no longer use it (toewijzing intrekken)", []string{"trek-in"}, cobra.ExactArgs(2),
			func(ctx context.Context, o *office, args []string) error {
				return o.change(ctx, http.MethodDelete, "/clients/"+args[0]+"/toewijzingen/"+args[1], "", nil)
			}))
}

func (c *cli) keyCommand() *cobra.Command {
	var from, until string
	add := c.act("add CLIENT FILE", "one more key of a client; the old one goes on (toevoegen)", []string{"voeg-toe"}, cobra.ExactArgs(2),
		func(ctx context.Context, o *office, args []string) error {
			text, err := os.ReadFile(args[1])
			if err != nil {
				return err
			}
			k := registry.KeyBody{Public: string(text)}
			for _, given := range []struct {
				text string
				to   **time.Time
			}{{from, &k.From}, {until, &k.Till}} {
				if given.text != "" {
					t, err := moment(given.text, time.Time{})
					if err != nil {
						return err
					}
					*given.to = &t
				}
			}
			return o.change(ctx, http.MethodPost, "/clients/"+args[0]+"/sleutels", "", k)
		})
	add.Flags().StringVar(&from, "from", "", "first day (vanaf)")
	add.Flags().StringVar(&until, "until", "", "end (tot)")
	return c.group("key", "public keys of a client, and keys that the hub keeps (sleutels)", []string{"sleutel"}, add, c.hostedCommand(),
		c.act("refresh CLIENT", "read the keys again from the address that the client gave (verversen)", []string{"ververs"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error {
				return o.change(ctx, http.MethodPost, "/clients/"+args[0]+"/sleutelverversing", "", nil)
			}),
		c.act("list CLIENT", "keys with their times (lijst)", []string{"lijst"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error {
				return read(ctx, o, "/clients/"+args[0], showClient)
			}),
		c.act("remove CLIENT KID", "take a key out (verwijderen)", []string{"verwijder"}, cobra.ExactArgs(2),
			func(ctx context.Context, o *office, args []string) error {
				return o.change(ctx, http.MethodDelete, "/clients/"+args[0]+"/sleutels/"+args[1], "", nil)
			}))
}

func (c *cli) organisationCommand() *cobra.Command {
	var b registry.OrganisationBody
	var certificates, contacts []string
	set := c.act("set OIN", "take an organisation in (hub operator), or change the own one (wijzigen)", []string{"wijzig"}, cobra.ExactArgs(1),
		func(ctx context.Context, o *office, args []string) error {
			b.Contacts = []registry.Contact{}
			for _, given := range contacts {
				role, rest, _ := strings.Cut(given, "=")
				parts := append(strings.SplitN(rest, ";", 3), "", "")
				b.Contacts = append(b.Contacts, registry.Contact{Role: role, Email: parts[0], Phone: parts[1], Hours: parts[2]})
			}
			for _, file := range certificates {
				text, err := os.ReadFile(file)
				if err != nil {
					return err
				}
				b.Certificates = append(b.Certificates, string(text))
			}
			return o.replace(ctx, "/organisaties/"+args[0], b)
		})
	f := set.Flags()
	f.StringVar(&b.Slug, "slug", "", "short name, unique on the hub (korte naam)")
	f.StringVar(&b.Name, "name", "", "name (naam)")
	f.StringVar(&b.Reason, "reason", "", "for the second person of the hub operator (toelichting)")
	f.StringVar(&b.Municipality, "municipality", "", "CBS code (gemeentecode)")
	f.StringArrayVar(&contacts, "contact", nil, "ROLE=MAIL[;PHONE[;HOURS]], more than once (contact)")
	f.StringSliceVar(&b.Networks, "network", nil, "private network (CIDR) in which its services may be; the hub operator's (netwerk)")
	f.StringSliceVar(&certificates, "certificate", nil, "PEM chain of a contract certificate; the hub operator's (certificaat)")
	org := c.group("organisation", "organisations of the region (organisaties)", []string{"organisatie"}, set,
		c.act("list", "whom one can make an agreement with (lijst)", []string{"lijst"}, cobra.NoArgs,
			func(ctx context.Context, o *office, _ []string) error {
				return read(ctx, o, "/organisaties", func(w *tabwriter.Writer, all struct {
					Organisations []registry.OrganisationView `json:"organisaties"`
				}) {
					for _, v := range all.Organisations {
						fmt.Fprintf(w, "%s\t%s\t%s\n", v.Slug, v.OIN, v.Name)
					}
				})
			}))
	org.AddCommand(c.joiningVerbs()...)
	return org
}

func (c *cli) personCommand() *cobra.Command {
	var b registry.PersonBody
	set := c.act("set ID", "give a person roles, or change them (wijzigen)", []string{"wijzig"}, cobra.ExactArgs(1),
		func(ctx context.Context, o *office, args []string) error {
			return o.replace(ctx, "/personen/"+args[0], b)
		})
	set.Flags().StringVar(&b.Name, "name", "", "name (naam)")
	set.Flags().StringVar(&b.Email, "email", "", "mail address (e-mail)")
	set.Flags().StringSliceVar(&b.Roles, "role", nil, "roles, with commas or more than once (rollen)")
	return c.group("person", "people of the organisation and their roles (personen)", []string{"persoon"}, set, c.standInCommand(),
		c.act("list", "people with their roles (lijst)", []string{"lijst"}, cobra.NoArgs,
			func(ctx context.Context, o *office, _ []string) error {
				return read(ctx, o, "/personen", func(w *tabwriter.Writer, all struct {
					People []registry.PersonView `json:"personen"`
				}) {
					for _, v := range all.People {
						fmt.Fprintf(w, "%s\t%s\t%s\n", v.ID, v.Name, strings.Join(v.Roles, ", "))
					}
				})
			}),
		c.act("remove ID", "take a person out, with the person's clients (verwijderen)", []string{"verwijder"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error { return o.remove(ctx, "/personen/"+args[0]) }))
}

func (c *cli) approvalCommand() *cobra.Command {
	return c.group("approval", "changes that wait for a second person (goedkeuringen)", []string{"goedkeuring"},
		c.act("list", "what waits (lijst)", []string{"lijst"}, cobra.NoArgs,
			func(ctx context.Context, o *office, _ []string) error {
				return read(ctx, o, "/voorstellen", func(w *tabwriter.Writer, all struct {
					Proposals []registry.ProposalView `json:"voorstellen"`
				}) {
					for _, p := range all.Proposals {
						fmt.Fprintf(w, "%s\t%s %s\t%s\t%s\t%s\n", p.ID, p.Kind, p.Subject, p.Proposer, p.Since.Local().Format("2006-01-02 15:04"), p.Reason)
					}
				})
			}),
		c.act("approve ID", "carry out what a colleague proposed (goedkeuren)", []string{"keur-goed"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error {
				return o.change(ctx, http.MethodPost, "/voorstellen/"+args[0]+"/goedkeuring", "", nil)
			}),
		c.act("dismiss ID", "withdraw the own proposal, or reject a colleague's (afwijzen)", []string{"wijs-af"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error {
				return o.change(ctx, http.MethodDelete, "/voorstellen/"+args[0], "", nil)
			}))
}

func showClients(w *tabwriter.Writer, all struct {
	Clients []registry.ClientView `json:"clients"`
}) {
	for _, v := range all.Clients {
		state := ""
		if v.Disabled {
			state = "disabled"
		}
		fmt.Fprintf(w, "%s\t%s\t%d keys\t%s\n", v.ID, v.Name, len(v.Keys), state)
	}
}

func showClient(w *tabwriter.Writer, v registry.ClientView) {
	fmt.Fprintf(w, "client\t%s (%s), %s %s\n", v.ID, v.Name, v.Profile, v.Alg)
	for _, k := range v.Keys {
		fmt.Fprintf(w, "key\t%s\t%s\n", k.ID, window(k.From, k.Till))
	}
	for _, a := range v.Assignments {
		fmt.Fprintf(w, "uses\t%s\t%s\n", a.Name, a.Grant)
	}
}

func window(from, till *time.Time) string {
	var parts []string
	if from != nil {
		parts = append(parts, "from "+from.Local().Format("2006-01-02 15:04"))
	}
	if till != nil {
		parts = append(parts, "until "+till.Local().Format("2006-01-02 15:04"))
	}
	return strings.Join(parts, " ")
}
