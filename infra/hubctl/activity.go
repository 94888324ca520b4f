package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	registry "noorderhub.nl/hub/services/registry/api"
)

type activities struct {
	Activities []registry.ActivityView `json:"verwerkingen"`
}

func (c *cli) activityCommand() *cobra.Command {
	var b registry.ActivityBody
	set := c.act("set ID", "write a processing activity down; what differs becomes a new version (vastleggen)", []string{"leg-vast"}, cobra.ExactArgs(1),
		func(ctx context.Context, o *office, args []string) error {
			return o.change(ctx, http.MethodPut, "/verwerkingen/"+url.PathEscape(args[0]), "", b)
		})
	f := set.Flags()
	f.StringVar(&b.Name, "name", "", "name (naam)")
	f.StringVar(&b.Purpose, "purpose", "", "what for (doel)")
	f.StringVar(&b.LegalBasis, "legal-basis", "", "article of law (grondslag)")
	f.StringVar(&b.Retention, "retention", "", "how long, e.g. P7Y (bewaartermijn)")
	f.BoolVar(&b.Confidential, "confidential", false, "not told to data subjects (vertrouwelijk)")
	return c.group("activity", "register of processing activities (verwerkingenregister)", []string{"verwerking"}, set,
		c.act("list", "the register, newest versions with their URI (lijst)", []string{"lijst"}, cobra.NoArgs,
			func(ctx context.Context, o *office, _ []string) error {
				return read(ctx, o, "/verwerkingen", func(w *tabwriter.Writer, all activities) {
					for _, a := range all.Activities {
						fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\n", a.ID, a.Version, a.Name, a.Retention, a.URI)
					}
				})
			}),
		c.act("import FILE", "take a CSV file with the columns id, naam, doel, grondslag, bewaartermijn, vertrouwelijk (inlezen)", []string{"lees-in"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error { return o.importActivities(ctx, args[0]) }))
}

// columns are those of the CSV file, in the order of its first line.
var columns = []string{"id", "naam", "doel", "grondslag", "bewaartermijn", "vertrouwelijk"}

// importActivities sends one line after the other. The file is read whole before, so that a line that cannot be read stops
// it before anything was sent.
func (o *office) importActivities(ctx context.Context, file string) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	rows, err := readActivities(in)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	var faults []error
	done := []registry.ActivityView{}
	for _, row := range rows {
		var view registry.ActivityView
		if _, err := o.api.Do(ctx, http.MethodPut, "/verwerkingen/"+url.PathEscape(row.id), "", row.ActivityBody, &view); err != nil {
			faults = append(faults, fmt.Errorf("line %d, %s: %w", row.line, row.id, explain(err)))
			continue
		}
		done = append(done, view)
	}
	if o.json {
		return errors.Join(append(faults, o.print(activities{done}))...)
	}
	fmt.Fprintf(o.stdout, "%d activities taken, %d refused\n", len(done), len(faults))
	return errors.Join(faults...)
}

type activityRow struct {
	line int
	id   string
	registry.ActivityBody
}

func readActivities(in io.Reader) ([]activityRow, error) {
	r := csv.NewReader(in)
	head, err := r.Read()
	if err != nil {
		return nil, err
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff") // as spreadsheets write it
	if len(head) == 1 && strings.Count(head[0], ";") == len(columns)-1 {
		return nil, errors.New("the columns are separated by semicolons; save it with commas")
	}
	if !slices.Equal(head, columns) {
		return nil, fmt.Errorf("the first line is not %s", strings.Join(columns, ","))
	}
	var rows []activityRow
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		secret, known := map[string]bool{"ja": true, "nee": false, "": false}[strings.ToLower(fields[5])]
		if !known {
			return nil, fmt.Errorf("line %d: vertrouwelijk is ja or nee", line)
		}
		rows = append(rows, activityRow{line, fields[0], registry.ActivityBody{
			Name: fields[1], Purpose: fields[2], LegalBasis: fields[3], Retention: fields[4], Confidential: secret,
		}})
	}
}

// activity gives the URI of an activity of the own register; what is a URI already stays as it is.
func (o *office) activity(ctx context.Context, name string) (string, error) {
	if name == "" || strings.Contains(name, ":") {
		return name, nil
	}
	var all activities
	if _, err := o.api.Do(ctx, http.MethodGet, "/verwerkingen", "", nil, &all); err != nil {
		return "", err
	}
	for _, a := range all.Activities {
		if a.ID == name {
			return a.URI, nil
		}
	}
	return "", fmt.Errorf("the register of the organisation has no activity %q; see: hubctl activity list", name)
}
