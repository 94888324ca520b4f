package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// eventLine is what of an event is shown in a line; --json has all of it.
type eventLine struct {
	Type     string    `json:"type"`
	Subject  string    `json:"subject"`
	Time     time.Time `json:"time"`
	Sequence string    `json:"sequence"`
}

func (c *cli) eventsCommand() *cobra.Command {
	var after int64
	cmd := c.alone(c.act("events", "what the organisation must know, oldest first (gebeurtenissen)", []string{"gebeurtenissen"}, cobra.NoArgs,
		func(ctx context.Context, o *office, _ []string) error {
			path := fmt.Sprintf("/gebeurtenissen?aantal=500&na=%d", after)
			if o.json {
				return read(ctx, o, path, func(*tabwriter.Writer, any) {})
			}
			return read(ctx, o, path, func(w *tabwriter.Writer, feed struct {
				Events []eventLine `json:"gebeurtenissen"`
			}) {
				for _, e := range feed.Events {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", strings.TrimLeft(e.Sequence, "0"), e.Time.Local().Format(time.DateTime), strings.TrimPrefix(e.Type, "nl.noorderhub.beheer."), e.Subject)
				}
			})
		}))
	cmd.Flags().Int64Var(&after, "after", 0, "the number of the last look (na)")
	return cmd
}
