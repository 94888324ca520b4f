package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	registry "noorderhub.nl/hub/services/registry/api"
)

// office is the administration API as a person or a program.
type office struct {
	*cli
	*session
	api *registry.Admin
}

// act makes a verb of administration: it runs as the person in --by, or as a program of the organisation in --as.
func (c *cli) act(use, short string, aliases []string, args cobra.PositionalArgs, run func(context.Context, *office, []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Aliases: aliases, Args: args,
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := c.office(cmd.Context())
			if err != nil {
				return err
			}
			return explain(run(cmd.Context(), o, args))
		},
	}
}

// group makes the parent of verbs about one kind of thing.
func (c *cli) group(use, short string, aliases []string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Aliases: aliases}
	cmd.PersistentFlags().StringVar(&c.by, "by", "", "person who acts (wie handelt)")
	cmd.PersistentFlags().StringVar(&c.ownKey, "own-key", "", "PEM file of the key of --by, of somebody whose key is not in the data folder (eigen sleutel)")
	cmd.PersistentFlags().StringVar(&c.program, "as", "", "organisation whose program acts; programs read and prepare (namens welke organisatie)")
	cmd.AddCommand(verbs...)
	return cmd
}

func (c *cli) office(ctx context.Context) (*office, error) {
	c.as = c.program
	if c.by == "" && c.as == "" {
		return nil, errors.New("say who acts: --by PERSON, or --as ORG for a program of the organisation")
	}
	s, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	return &office{cli: c, session: s, api: &registry.Admin{
		Base: s.base, HTTP: s.http,
		Token: func(ctx context.Context) (string, error) {
			t, err := s.token(ctx, "/beheer", "", "")
			return t.AccessToken, err
		},
	}}, nil
}

// read gets one thing or a list and hands it to show, or prints it with --json.
func read[T any](ctx context.Context, o *office, path string, show func(*tabwriter.Writer, T)) error {
	var out T
	if _, err := o.api.Do(ctx, http.MethodGet, path, "", nil, &out); err != nil {
		return err
	}
	if o.json {
		return o.print(out)
	}
	w := tabwriter.NewWriter(o.stdout, 0, 4, 2, ' ', 0)
	show(w, out)
	return w.Flush()
}

// change carries out an act and tells what became of it. With match "" the thing is read first, for its ETag, where the
// act needs one: hubctl changes what is there now.
func (o *office) change(ctx context.Context, method, path, match string, in any) error {
	var out json.RawMessage
	answer, err := o.api.Do(ctx, method, path, match, in, &out)
	if err != nil {
		return err
	}
	switch {
	case o.json && out != nil:
		return o.print(out)
	case o.json:
		return o.print(struct {
			Snapshot string `json:"snapshot"`
		}{answer.Snapshot})
	case answer.Waits:
		var p registry.ProposalView
		if err := json.Unmarshal(out, &p); err != nil {
			return err
		}
		fmt.Fprintf(o.stdout, "waits for a second person: hubctl approval approve %s --by COLLEAGUE\n", p.ID)
	default:
		fmt.Fprintf(o.stdout, "done, in force from snapshot %s\n", answer.Snapshot)
	}
	return nil
}

// current gives the ETag of a thing, New when there is none yet.
func (o *office) current(ctx context.Context, path string) (string, error) {
	answer, err := o.api.Do(ctx, http.MethodGet, path, "", nil, nil)
	if r := asRefusal(err); r != nil && r.Code.ID == "not-in-directory" {
		return registry.New, nil
	}
	return answer.ETag, err
}

// replace puts a thing in the place of what is there now.
func (o *office) replace(ctx context.Context, path string, in any) error {
	match, err := o.current(ctx, path)
	if err != nil {
		return err
	}
	return o.change(ctx, http.MethodPut, path, match, in)
}

// remove takes away what is there now.
func (o *office) remove(ctx context.Context, path string) error {
	match, err := o.current(ctx, path)
	if err != nil {
		return err
	}
	if match == registry.New {
		match = `"1"` // there is nothing; the refusal of the hub says so best
	}
	return o.change(ctx, http.MethodDelete, path, match, nil)
}

// oin gives the OIN of an organisation named by its short name or its OIN.
func (o *office) oin(ctx context.Context, name string) (string, error) {
	var list struct {
		Organisations []registry.OrganisationView `json:"organisaties"`
	}
	if _, err := o.api.Do(ctx, http.MethodGet, "/organisaties", "", nil, &list); err != nil {
		return "", err
	}
	i := slices.IndexFunc(list.Organisations, func(v registry.OrganisationView) bool { return v.Slug == name || v.OIN == name })
	if i < 0 {
		return "", fmt.Errorf("there is no organisation %q; see: hubctl organisation list", name)
	}
	return list.Organisations[i].OIN, nil
}
