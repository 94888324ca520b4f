package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	registry "noorderhub.nl/hub/services/registry/api"
)

// hostedCommand makes the verbs about keys that the hub keeps for an organisation: made inside, certified outside, in use
// on a second person's word.
func (c *cli) hostedCommand() *cobra.Command {
	path := func(ctx context.Context, o *office, args []string) (string, error) {
		number, err := o.oin(ctx, args[0])
		return "/organisaties/" + number + "/bewaarsleutels", err
	}
	verb := func(use, short, dutch string, args int, run func(ctx context.Context, o *office, base string, args []string) error) *cobra.Command {
		return c.act(use, short, []string{dutch}, cobra.ExactArgs(args), func(ctx context.Context, o *office, args []string) error {
			base, err := path(ctx, o, args)
			if err != nil {
				return err
			}
			return run(ctx, o, base, args)
		})
	}
	var algorithm string
	propose := verb("propose ORG", "have a key made; its private half never leaves the hub (voorstellen)", "stel-voor", 1,
		func(ctx context.Context, o *office, base string, _ []string) error {
			return o.keyAct(ctx, http.MethodPost, base, registry.HostedKeyBody{Algorithm: algorithm})
		})
	propose.Flags().StringVar(&algorithm, "alg", "ES256", "ES256, ES384, ES512 or RS256 (algoritme)")
	cmd := &cobra.Command{Use: "hosted", Short: "signing keys that the hub keeps for an organisation (bewaarsleutels)", Aliases: []string{"bewaard"}}
	cmd.AddCommand(propose,
		verb("list ORG", "keys with their state (lijst)", "lijst", 1, func(ctx context.Context, o *office, base string, _ []string) error {
			return read(ctx, o, base, func(w *tabwriter.Writer, all struct {
				Keys []registry.HostedKeyView `json:"bewaarsleutels"`
			}) {
				for _, k := range all.Keys {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", k.ID, k.State, k.Algorithm, day(k.NotAfter))
				}
			})
		}),
		verb("request ORG ID", "the certificate request, for an authority (aanvraag)", "vraag-aan", 2,
			func(ctx context.Context, o *office, base string, args []string) error {
				return read(ctx, o, base+"/"+args[1]+"/aanvraag", func(w *tabwriter.Writer, v registry.KeyRequestView) { fmt.Fprint(w, v.Request) })
			}),
		verb("install ORG ID FILE", "the certificate that an authority gave, PEM, leaf first (plaatsen)", "plaats", 3,
			func(ctx context.Context, o *office, base string, args []string) error {
				chain, err := os.ReadFile(args[2])
				if err != nil {
					return err
				}
				return o.keyAct(ctx, http.MethodPut, base+"/"+args[1]+"/certificaat", registry.CertificateBody{Chain: string(chain)})
			}),
		verb("confirm ORG ID", "put a colleague's key into use; contracts are signed anew with it (bevestigen)", "bevestig", 2,
			func(ctx context.Context, o *office, base string, args []string) error {
				return o.keyAct(ctx, http.MethodPost, base+"/"+args[1]+"/bevestiging", nil)
			}),
		verb("retire ORG ID", "sign with a key no more, or destroy one that signs no more (beëindigen)", "beeindig", 2,
			func(ctx context.Context, o *office, base string, args []string) error {
				return o.keyAct(ctx, http.MethodDelete, base+"/"+args[1], nil)
			}),
		verb("touches ORG", "contracts that another key signs anew (geraakte afspraken)", "afspraken", 1,
			func(ctx context.Context, o *office, base string, _ []string) error {
				return read(ctx, o, base+"/afspraken", func(w *tabwriter.Writer, all struct {
					Touched []registry.TouchedView `json:"afspraken"`
				}) {
					for _, t := range all.Touched {
						state := "waits for the new signature"
						if t.Done {
							state = "signed with the active key"
						}
						fmt.Fprintf(w, "%s\t%s\t%s\n", t.Hash, day(t.Till), state)
					}
				})
			}))
	return cmd
}

// keyAct carries out an act on a key and shows what it is then.
func (o *office) keyAct(ctx context.Context, method, path string, in any) error {
	var k registry.HostedKeyView
	if _, err := o.api.Do(ctx, method, path, "", in, &k); err != nil {
		return err
	}
	if o.json {
		return o.print(k)
	}
	fmt.Fprintf(o.stdout, "key %s is %s\n", k.ID, k.State)
	return nil
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return "until " + t.Local().Format(time.DateOnly)
}
