package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	registry "noorderhub.nl/hub/services/registry/api"
)

// auditRecord is what of a record is shown in a line; --json has all of it.
type auditRecord struct {
	Sequence int64     `json:"sequence"`
	At       time.Time `json:"at"`
	Actor    struct {
		Person       string `json:"person"`
		Client       string `json:"client"`
		Part         string `json:"part"`
		Organisation string `json:"organisation"`
	} `json:"actor"`
	Act     string `json:"act"`
	Subject struct {
		Kind string `json:"kind"`
		ID   string `json:"id"`
	} `json:"subject"`
	Outcome string `json:"outcome"`
}

func (c *cli) auditCommand() *cobra.Command {
	var act, person string
	list := c.act("list", "who did what and when, the newest first (lijst)", []string{"lijst"}, cobra.NoArgs,
		func(ctx context.Context, o *office, _ []string) error {
			q := url.Values{}
			for name, value := range map[string]string{"handeling": act, "persoon": person} {
				if value != "" {
					q.Set(name, value)
				}
			}
			if o.json {
				return read(ctx, o, "/auditrecords?"+q.Encode(), func(*tabwriter.Writer, any) {})
			}
			return read(ctx, o, "/auditrecords?"+q.Encode(), func(w *tabwriter.Writer, all struct {
				Records []auditRecord `json:"auditrecords"`
			}) {
				for _, r := range all.Records {
					who := r.Actor.Organisation
					for _, name := range []string{r.Actor.Part, r.Actor.Client, r.Actor.Person} {
						if name != "" {
							who = name
						}
					}
					fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s %s\t%s\n", r.Sequence, r.At.Local().Format(time.DateTime), who, r.Act, r.Subject.Kind, r.Subject.ID, r.Outcome)
				}
			})
		})
	list.Flags().StringVar(&act, "act", "", "one act, such as contract.accept (handeling)")
	list.Flags().StringVar(&person, "person", "", "what one person did (persoon)")
	verify := c.act("verify", "walk the whole log: is everything as it was signed (controleren)", []string{"controleer"}, cobra.NoArgs,
		func(ctx context.Context, o *office, _ []string) error {
			var report struct {
				Size    int64    `json:"omvang"`
				Records int64    `json:"aanwezig"`
				Signed  int64    `json:"ondertekend"`
				Root    string   `json:"wortel"`
				Removed []string `json:"verwijderd"`
				Fault   string   `json:"fout,omitempty"`
			}
			if _, err := o.api.Do(ctx, http.MethodGet, "/auditlog/controle", "", nil, &report); err != nil {
				return err
			}
			if o.json {
				if err := o.print(report); err != nil {
					return err
				}
			} else {
				fmt.Fprintf(o.stdout, "%d of %d records are there, the first %d signed, root %s\n", report.Records, report.Size, report.Signed, report.Root)
				for _, r := range report.Removed {
					fmt.Fprintln(o.stdout, "removed, as their time was over:", r)
				}
			}
			if report.Fault != "" {
				return errors.New("the audit log is not as it was signed: " + report.Fault)
			}
			return nil
		})
	var table bool
	rights := c.act("rights", "all people and programs of the organisation with their rights (rechten)", []string{"rechten"}, cobra.NoArgs,
		func(ctx context.Context, o *office, _ []string) error {
			if table {
				return o.api.Copy(ctx, "/rechten.csv", o.stdout)
			}
			return read(ctx, o, "/rechten", func(w *tabwriter.Writer, all registry.RightsView) {
				for _, r := range all.Rights {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.Kind, r.ID, r.Name, strings.Join(slices.Concat(r.Roles, r.AdminScopes, r.Grants), ", "))
				}
			})
		})
	rights.Flags().BoolVar(&table, "csv", false, "as CSV, for a spreadsheet (als tabel)")
	return c.group("audit", "who did what in administration (auditlog)", nil, list, verify, rights)
}
