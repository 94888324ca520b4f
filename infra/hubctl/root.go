package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"noorderhub.nl/hub/libs/errs"
	authserver "noorderhub.nl/hub/services/authserver/api"
)

// cli is what every verb works with.
type cli struct {
	data string // folder of the demo hub
	as   string // organisation
	by   string // person who administers
	// ownKey is the file of that person's key where the data folder has none.
	ownKey string
	// program is the organisation in --as of administration. It has a place of its own: defining a flag sets its variable.
	program string
	json    bool
	stdout  io.Writer
	stderr  io.Writer
}

// run is the program. With --json a refusal is the one JSON document on stdout, and told on stderr all the same.
func run(ctx context.Context, args []string, data string, stdout, stderr io.Writer) error {
	c := &cli{data: data, stdout: stdout, stderr: stderr}
	root := c.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var refused *refusal
	if c.json && errors.As(err, &refused) && !refused.shown {
		return errors.Join(err, c.print(refused))
	}
	return err
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "hubctl",
		Short:         "Noorderhub from the command line (Noorderhub op de opdrachtregel)",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetOut(c.stdout)
	root.SetErr(c.stderr)
	flags := root.PersistentFlags()
	flags.StringVar(&c.data, "data", c.data, "data folder of the hub (map van de hub; NOORDERHUB_DATA)")
	flags.BoolVar(&c.json, "json", false, "print one JSON document (één JSON-document)")
	root.AddCommand(c.tokenCommand(), c.callCommand(), c.traceCommand(), c.transferCommand(), c.inboxCommand(), c.evidenceCommand(),
		c.contractCommand(), c.clientCommand(), c.keyCommand(), c.serviceCommand(), c.organisationCommand(), c.documentCommand(), c.personCommand(), c.activityCommand(), c.approvalCommand(), c.auditCommand(), c.eventsCommand(), c.channelCommand(),
		c.exportCommand(), c.planCommand(), c.applyCommand())
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
	Title  string       `json:"title"`
	Detail string       `json:"detail"`
	Code   string       `json:"code"`
	Rule   string       `json:"rule"`
	Side   errs.Side    `json:"side"` // who can mend it
	Next   string       `json:"nextStep"`
	Page   string       `json:"page"`
	Fields []errs.Field `json:"invalidParams,omitempty"`
	shown  bool         // its JSON is on stdout already
}

// Error tells a person what to do now.
func (r *refusal) Error() string {
	text := "refused: " + r.Title
	for _, line := range []struct{ label, value string }{
		{"", r.Detail}, {"rule: ", r.Rule}, {"can be mended by: ", string(r.Side)}, {"next: ", r.Next}, {"read more: ", r.Page},
	} {
		if line.value != "" {
			text += "\n  " + line.label + line.value
		}
	}
	for _, f := range r.Fields {
		text += "\n  - " + strings.TrimPrefix(f.Name+": ", ": ") + f.Reason
	}
	return text
}

// explain makes a refusal of any part readable; other errors stay as they are.
func explain(err error) error {
	var oauth *authserver.Error
	var problem *errs.Error
	switch {
	case errors.As(err, &oauth):
		return &refusal{
			Title: oauth.Name, Detail: oauth.Description, Code: oauth.Code, Rule: oauth.Rule,
			Side: errs.Side(oauth.Side), Next: oauth.NextStep, Page: oauth.URI,
		}
	case errors.As(err, &problem):
		return &refusal{
			Title: problem.Code.Title, Detail: problem.Detail, Code: problem.Code.ID, Rule: problem.Rule,
			Side: problem.Code.Side, Next: problem.Code.Next, Page: problem.Page, Fields: problem.Fields,
		}
	}
	return err
}

// asRefusal gives the refusal of a part in an error, nil when there is none.
func asRefusal(err error) *errs.Error {
	var e *errs.Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}
