package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"noorderhub.nl/hub/libs/problem"
)

func (c *cli) callCommand() *cobra.Command {
	var resource, scope, body string
	cmd := &cobra.Command{
		Use:     "call --as ORG 'METHOD /path'",
		Aliases: []string{"roep"},
		Short:   "call a service with a token of the organisation (een dienst aanroepen)",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			method, target, ok := strings.Cut(args[0], " ")
			if !ok || !strings.HasPrefix(target, "/") {
				return errors.New("say what to call as 'METHOD /path', e.g. 'GET /bag/individuelebevragingen/v2/adressen?postcode=…&huisnummer=…'")
			}
			s, err := c.open(cmd.Context())
			if err != nil {
				return err
			}
			t, err := s.token(cmd.Context(), target, resource, scope)
			if err != nil {
				return err
			}
			payload, err := bodyOf(body)
			if err != nil {
				return err
			}
			req, err := http.NewRequestWithContext(cmd.Context(), method, s.base+target, payload)
			if err != nil {
				return err
			}
			req.Header.Set("Authorization", "Bearer "+t.AccessToken)
			if payload != nil {
				req.Header.Set("Content-Type", "application/json")
			}
			resp, err := s.http.Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			return c.showAnswer(resp)
		},
	}
	c.asFlag(cmd, "")
	cmd.Flags().StringVar(&resource, "resource", "", "what the token is for; default: by the path (waarvoor)")
	cmd.Flags().StringVar(&scope, "scope", "", "scopes, or the short name of a contract (rechten)")
	cmd.Flags().StringVarP(&body, "body", "d", "", "JSON body, or @FILE (inhoud)")
	return cmd
}

func bodyOf(data string) (io.Reader, error) {
	if data == "" {
		return nil, nil
	}
	if path, ok := strings.CutPrefix(data, "@"); ok {
		text, err := os.ReadFile(path)
		return strings.NewReader(string(text)), err
	}
	return strings.NewReader(data), nil
}

// showAnswer puts the body on stdout and the transaction on stderr. A refusal is explained on stderr as well.
func (c *cli) showAnswer(resp *http.Response) error {
	if id := resp.Header.Get("Fsc-Transaction-Id"); id != "" {
		fmt.Fprintln(c.stderr, "transaction", id)
	}
	if resp.StatusCode/100 == 2 {
		if _, err := io.Copy(c.stdout, resp.Body); err != nil {
			return err
		}
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	if _, err := c.stdout.Write(text); err != nil {
		return err
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		fmt.Fprintln(c.stdout)
	}
	resp.Body = io.NopCloser(strings.NewReader(string(text)))
	refused := explain(problem.Read(resp))
	if r, ok := refused.(*refusal); ok { //nolint:errorlint // explain does not wrap
		r.shown = true
	}
	return refused
}
