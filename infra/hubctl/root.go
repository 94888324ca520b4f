package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"noorderhub.nl/hub/libs/errs"
	authserver "noorderhub.nl/hub/services/authserver/api"
)

// cli is what every verb works with.
type cli struct {
	data   string // folder of the demo hub
	as     string // organisation
	json   bool
	stdout io.Writer
	stderr io.Writer
}

func newRoot(data string, stdout, stderr io.Writer) *cobra.Command {
	c := &cli{data: data, stdout: stdout, stderr: stderr}
	root := &cobra.Command{
		Use:           "hubctl",
		Short:         "Noorderhub from the command line (Noorderhub op de opdrachtregel)",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	flags := root.PersistentFlags()
	flags.StringVar(&c.data, "data", c.data, "data folder of the hub (map van de hub; NOORDERHUB_DATA)")
	flags.BoolVar(&c.json, "json", false, "print one JSON document (één JSON-document)")
	root.AddCommand(c.tokenCommand(), c.callCommand(), c.traceCommand())
	return root
}

// asFlag adds --as to a verb.
func (c *cli) asFlag(cmd *cobra.Command, standard string) {
	cmd.Flags().StringVar(&c.as, "as", standard, "organisation to act as (namens welke organisatie)")
}

// print writes a value as one JSON document.
func (c *cli) print(v any) error {
	enc := json.NewEncoder(c.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// refusal is what every no of the hub says, whichever part said it.
type refusal struct {
	title, detail, rule, side, next, page string
}

func (r refusal) err() error {
	text := "refused: " + r.title
	for _, line := range []struct{ label, value string }{
		{"", r.detail}, {"rule: ", r.rule}, {"can be mended by: ", r.side}, {"next: ", r.next}, {"read more: ", r.page},
	} {
		if line.value != "" {
			text += "\n  " + line.label + line.value
		}
	}
	return fmt.Errorf("%s\n%w", text, errRefused)
}

// explain makes a refusal of any part readable; other errors stay as they are.
func explain(err error) error {
	var oauth *authserver.Error
	var problem *errs.Error
	switch {
	case errors.As(err, &oauth):
		return refusal{oauth.Name, oauth.Description, oauth.Rule, oauth.Side, oauth.NextStep, oauth.URI}.err()
	case errors.As(err, &problem):
		return refusal{problem.Code.Title, problem.Detail, problem.Rule, string(problem.Code.Side), problem.Code.Next, ""}.err()
	}
	return err
}

// errRefused ends a run whose refusal has been shown.
var errRefused = errors.New("not done")
