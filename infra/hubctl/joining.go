package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/spf13/cobra"

	authserver "noorderhub.nl/hub/services/authserver/api"
	registry "noorderhub.nl/hub/services/registry/api"
)

// joiningVerbs bring an organisation onto the hub.
func (c *cli) joiningVerbs() []*cobra.Command {
	var invitation registry.InvitationBody
	var out, reason string
	invite := c.act("invite NAME", "ask an organisation to join; writes the form for it (uitnodigen)", []string{"nodig-uit"}, cobra.ExactArgs(1),
		func(ctx context.Context, o *office, args []string) error {
			invitation.Name = args[0]
			var v registry.ApplicationView
			if _, err := o.api.Do(ctx, http.MethodPost, "/uitnodigingen", "", invitation, &v); err != nil {
				return err
			}
			text, err := json.MarshalIndent(v.Form, "", "  ")
			if err != nil {
				return err
			}
			if err := os.WriteFile(out, append(text, '\n'), 0o600); err != nil {
				return err
			}
			fmt.Fprintf(o.stdout, "invited as %s; let the first people fill in %s and each sign it: hubctl organisation sign\n", v.ID, out)
			return nil
		})
	invite.Flags().StringVar(&invitation.OIN, "oin", "", "its OIN, when it is known (OIN)")
	invite.Flags().StringVar(&invitation.KvK, "kvk", "", "its number in the Trade Register, of a supplier (KvK-nummer)")
	invite.Flags().StringVar(&out, "out", "aanmelding.json", "where the form goes (bestand)")
	reject := c.act("reject ID", "reject an application, or take an invitation back (afwijzen)", []string{"wijs-af"}, cobra.ExactArgs(1),
		func(ctx context.Context, o *office, args []string) error {
			return o.change(ctx, http.MethodPost, "/aanmeldingen/"+args[0]+"/afwijzing", "", registry.DecisionBody{Reason: reason})
		})
	reject.Flags().StringVar(&reason, "reason", "", "why; who applied reads it (reden)")
	var part registry.PartBody
	var ended string
	merge := c.act("merge OIN", "say that an OIN is part of another organisation, or was merged into it (samenvoegen)", []string{"voeg-samen"}, cobra.ExactArgs(1),
		func(ctx context.Context, o *office, args []string) error {
			if ended != "" {
				at, err := moment(ended, time.Time{})
				if err != nil {
					return err
				}
				part.Ended = &at
			}
			match, err := o.current(ctx, "/organisaties/"+args[0])
			if err != nil {
				return err
			}
			return o.change(ctx, http.MethodPut, "/organisaties/"+args[0]+"/onderdeel", match, part)
		})
	merge.Flags().StringVar(&part.Of, "into", "", "OIN of the whole; empty lets it stand by itself again (in)")
	merge.Flags().StringVar(&ended, "ended", "", "day of the merger, after which it makes no contracts (beëindigd)")
	merge.Flags().StringVar(&part.Reason, "reason", "", "for who approves (toelichting)")
	return []*cobra.Command{
		invite, c.signFormCommand(), reject, merge,
		c.act("apply FILE", "bring in a form that was signed (aanmelden)", []string{"meld-aan"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error {
				var body registry.ApplicationBody
				if err := readJSON(args[0], &body); err != nil {
					return err
				}
				var v registry.ApplicationView
				if _, err := o.api.Do(ctx, http.MethodPost, "/aanmeldingen", "", body, &v); err != nil {
					return err
				}
				if o.json {
					return o.print(v)
				}
				fmt.Fprintf(o.stdout, "applied as %s; somebody of the hub operator admits it: hubctl organisation admit\n", v.ID)
				return nil
			}),
		c.act("applications", "invitations and applications, with who must act (aanmeldingen)", []string{"aanmeldingen"}, cobra.NoArgs,
			func(ctx context.Context, o *office, _ []string) error {
				return read(ctx, o, "/aanmeldingen", func(w *tabwriter.Writer, all struct {
					Applications []registry.ApplicationView `json:"aanmeldingen"`
				}) {
					for _, v := range all.Applications {
						fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", v.ID, v.State, v.OIN, v.Name, openStep(v.Steps))
					}
				})
			}),
		c.act("application ID", "one application with its steps (aanmelding)", []string{"aanmelding"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error {
				return read(ctx, o, "/aanmeldingen/"+args[0], func(w *tabwriter.Writer, v registry.ApplicationView) {
					fmt.Fprintf(w, "%s\t%s\t%s\n", v.Name, v.State, v.Reason)
					showSteps(w, v.Steps)
				})
			}),
		c.act("admit ID", "let an organisation with its first people in (toelaten)", []string{"laat-toe"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error {
				return o.change(ctx, http.MethodPost, "/aanmeldingen/"+args[0]+"/toelating", "", nil)
			}),
		c.act("steps ORG", "what is left to do before the first call, and who must act (stappen)", []string{"stappen"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error {
				oin, err := o.oin(ctx, args[0])
				if err != nil {
					return err
				}
				return read(ctx, o, "/organisaties/"+oin+"/stappen", func(w *tabwriter.Writer, v struct {
					Steps []registry.StepView `json:"stappen"`
				}) {
					showSteps(w, v.Steps)
				})
			}),
	}
}

func showSteps(w *tabwriter.Writer, steps []registry.StepView) {
	for _, s := range steps {
		mark := "open"
		if s.Done {
			mark = "done"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.Step, mark, s.Who, s.EN)
	}
}

// openStep names who must act on the first step that is open.
func openStep(steps []registry.StepView) string {
	for _, s := range steps {
		if !s.Done {
			return "waits for " + s.Who + ": " + s.Step
		}
	}
	return ""
}

// signFormCommand signs a form where the key is. It asks no hub.
func (c *cli) signFormCommand() *cobra.Command {
	var key, person, alg string
	cmd := &cobra.Command{
		Use: "sign FILE", Short: "sign a form as one of its people; adds to the signatures in FILE (ondertekenen)", Aliases: []string{"onderteken"}, Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			pem, err := os.ReadFile(key)
			if err != nil {
				return err
			}
			k, err := authserver.ParseKey(pem, person, alg)
			if err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			signed, err := addSignature(text, k)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if err := os.WriteFile(args[0], append(signed, '\n'), 0o600); err != nil {
				return err
			}
			fmt.Fprintf(c.stdout, "signed by %s\n", person)
			return nil
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "PEM file of the person's private key (sleutel)")
	cmd.Flags().StringVar(&person, "person", "", "id of the person in the form (persoon)")
	cmd.Flags().StringVar(&alg, "alg", "", "ES256, PS256 or RS256; default: what suits the key (algoritme)")
	return cmd
}

// addSignature gives a form, or one that others signed before, with one signature more.
func addSignature(text []byte, k authserver.Key) ([]byte, error) {
	var body registry.ApplicationBody
	if err := json.Unmarshal(text, &body); err != nil {
		return nil, err
	}
	payload := text
	if body.Payload != "" {
		before, err := jose.ParseSignedJSON(string(text), []jose.SignatureAlgorithm{jose.ES256, jose.PS256, jose.RS256})
		if err != nil {
			return nil, err
		}
		payload = before.UnsafePayloadWithoutVerification()
	}
	var form registry.ApplicationForm
	if err := json.Unmarshal(payload, &form); err != nil {
		return nil, err
	}
	if k.ID == "" || !strings.Contains(string(payload), `"`+k.ID+`"`) {
		return nil, errors.New("--person is nobody in the form")
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.Alg), Key: jose.JSONWebKey{Key: k.Signer, KeyID: k.ID}}, nil)
	if err != nil {
		return nil, err
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return nil, err
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		return nil, err
	}
	parts := strings.Split(compact, ".")
	body.Payload = parts[1]
	body.Signatures = append(body.Signatures, registry.ApplicantSignature{Protected: parts[0], Signature: parts[2]})
	return json.MarshalIndent(body, "", "  ")
}

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// documents is what GET /documenten gives.
type documents struct {
	Documents []registry.DocumentView   `json:"documenten"`
	Accepted  []registry.AcceptanceView `json:"aanvaard"`
}

func (c *cli) documentCommand() *cobra.Command {
	find := func(ctx context.Context, o *office, kind string) (registry.DocumentView, error) {
		var all documents
		if _, err := o.api.Do(ctx, http.MethodGet, "/documenten", "", nil, &all); err != nil {
			return registry.DocumentView{}, err
		}
		for _, d := range all.Documents {
			if d.Kind == kind {
				return d, nil
			}
		}
		return registry.DocumentView{}, fmt.Errorf("the hub has no document %q; see: hubctl document list", kind)
	}
	return c.group("document", "terms and processor agreement of the hub (documenten)", nil,
		c.act("list", "documents, and who accepted which version (lijst)", []string{"lijst"}, cobra.NoArgs,
			func(ctx context.Context, o *office, _ []string) error {
				return read(ctx, o, "/documenten", func(w *tabwriter.Writer, all documents) {
					for _, d := range all.Documents {
						by := "not accepted"
						for _, a := range all.Accepted {
							if a.AcceptanceBody == d.AcceptanceBody {
								by = "accepted by " + a.By + " on " + a.When.Local().Format("2006-01-02")
							}
						}
						fmt.Fprintf(w, "%s\t%s\t%s\n", d.Kind, d.Version, by)
					}
				})
			}),
		c.act("show KIND", "the text (tonen)", []string{"toon"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error {
				d, err := find(ctx, o, args[0])
				if err == nil {
					fmt.Fprintln(o.stdout, d.Text)
				}
				return err
			}),
		c.act("accept KIND", "accept the text as it is now, for the organisation (aanvaarden)", []string{"aanvaard"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error {
				d, err := find(ctx, o, args[0])
				if err != nil {
					return err
				}
				return o.change(ctx, http.MethodPut, "/documenten/"+args[0]+"/aanvaarding", "", d.AcceptanceBody)
			}))
}
