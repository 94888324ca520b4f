package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (c *cli) tokenCommand() *cobra.Command {
	var resource, scope string
	cmd := &cobra.Command{
		Use:   "token --as ORG",
		Short: "get an access token (een toegangstoken ophalen)",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.open(cmd.Context())
			if err != nil {
				return err
			}
			t, err := s.token(cmd.Context(), "/bag", resource, scope)
			if err != nil {
				return err
			}
			if c.json {
				return c.print(t)
			}
			_, err = fmt.Fprintln(c.stdout, t.AccessToken)
			return err
		},
	}
	c.asFlag(cmd, "")
	cmd.Flags().StringVar(&resource, "resource", "", "what the token is for; default: the address service (waarvoor)")
	cmd.Flags().StringVar(&scope, "scope", "", "scopes, or the short name of a contract (rechten)")
	return cmd
}
