package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	registry "noorderhub.nl/hub/services/registry/api"
)

// serviceFile is a service as its owner writes it down. Paths in it are relative to its folder.
type serviceFile struct {
	Title    string    `yaml:"title"`
	FSCName  string    `yaml:"fscName,omitempty"`
	APIs     []apiFile `yaml:"apis"`
	Upstream struct {
		Addresses  []string `yaml:"addresses"`
		CA         string   `yaml:"ca,omitempty"` // file
		Timeout    string   `yaml:"timeout,omitempty"`
		MaxBody    int64    `yaml:"maxBody,omitempty"`
		Idempotent []string `yaml:"idempotent,omitempty"`
		Auth       string   `yaml:"auth,omitempty"`     // call-token (default), certificate, header or zgw
		AuthName   string   `yaml:"authName,omitempty"` // name of the header, or client id of ZGW
		Secret     string   `yaml:"secret,omitempty"`   // file; left out, the secret that is there stays
	} `yaml:"upstream"`
	Personal  bool     `yaml:"personal,omitempty"`
	Published bool     `yaml:"published,omitempty"`
	Public    []string `yaml:"public,omitempty"`

	Facts factsFile `yaml:"facts,omitempty"`
}

type apiFile struct {
	BasePath   string     `yaml:"basePath"`
	OpenAPI    string     `yaml:"openapi"` // file
	Deprecated *time.Time `yaml:"deprecated,omitempty"`
	Sunset     *time.Time `yaml:"sunset,omitempty"`
	Successor  string     `yaml:"successor,omitempty"`
	URL        string     `yaml:"url,omitempty"` // https, instead of a file
}

// factsFile is what people want to know of a service beside its description.
type factsFile struct {
	Purpose      string             `yaml:"purpose,omitempty"`
	LegalBasis   string             `yaml:"legalBasis,omitempty"`
	Activity     string             `yaml:"activity,omitempty"`
	DataClass    string             `yaml:"dataClass,omitempty"` // openbaar, intern, vertrouwelijk or bijzonder
	Health       string             `yaml:"health,omitempty"`    // path
	CacheSeconds *int               `yaml:"cacheSeconds,omitempty"`
	Logging      string             `yaml:"logging,omitempty"`
	Availability string             `yaml:"availability,omitempty"` // percent of a month, e.g. "99.5"
	Support      string             `yaml:"support,omitempty"`
	Changelog    []registry.Release `yaml:"changelog,omitempty"`
}

func (c *cli) serviceCommand() *cobra.Command {
	var file, reason string
	put := c.act("put SLUG", "put a service on the hub, or change it; what is published waits for a second person (plaatsen)", []string{"plaats"}, cobra.ExactArgs(1),
		func(ctx context.Context, o *office, args []string) error {
			body, err := readService(file)
			if err != nil {
				return err
			}
			body.Reason = reason
			return o.replace(ctx, "/diensten/"+args[0], body)
		})
	put.Flags().StringVarP(&file, "file", "f", "service.yaml", "the service: title, apis, upstream, … (bestand)")
	put.Flags().StringVar(&reason, "reason", "", "for who approves (toelichting)")
	check := c.act("check SLUG", "what the hub makes of the descriptions; changes nothing (keuren)", []string{"keur"}, cobra.ExactArgs(1),
		func(ctx context.Context, o *office, args []string) error {
			body, err := readService(file)
			if err != nil {
				return err
			}
			return o.assess(ctx, args[0], body)
		})
	check.Flags().StringVarP(&file, "file", "f", "service.yaml", "the service (bestand)")
	return c.group("service", "shared services (diensten)", []string{"dienst"}, put, check,
		c.act("list", "the catalogue, and the own services (lijst)", []string{"lijst"}, cobra.NoArgs,
			func(ctx context.Context, o *office, _ []string) error {
				return read(ctx, o, "/diensten?aantal=200", func(w *tabwriter.Writer, all struct {
					Services []registry.ServiceView `json:"diensten"`
				}) {
					for _, s := range all.Services {
						state := "draft"
						if s.Published {
							state = "published"
						}
						fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.Slug, s.Title, state, strings.Join(s.BasePaths, " "))
					}
				})
			}),
		c.act("show SLUG", "one service with its operations (tonen)", []string{"toon"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error {
				return read(ctx, o, "/diensten/"+args[0], func(w *tabwriter.Writer, s registry.ServiceView) {
					fmt.Fprintf(w, "service\t%s: %s\nowner\t%s\n", s.Slug, s.Title, s.Owner)
					if s.Facts != nil && s.Facts.Purpose != "" {
						fmt.Fprintf(w, "purpose\t%s\n", s.Facts.Purpose)
					}
					if s.Advice != nil {
						fmt.Fprintf(w, "advice\t%d findings of the design rules to mend by %s; see: hubctl service check\n", s.Advice.Count, s.Advice.By.Format(time.DateOnly))
					}
					for _, op := range s.Operations {
						fmt.Fprintf(w, "%s\t%s\t%s\n", op.Method, op.Path, op.Scope)
					}
				})
			}),
		c.act("test SLUG", "let every gateway try DNS, port, TLS, clock and path of the own service (proef)", []string{"probeer"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error { return o.testService(ctx, args[0]) }),
		c.act("gateways", "where calls to a service come from and the certificate they show, for its firewall (gateways)", nil, cobra.NoArgs,
			func(ctx context.Context, o *office, _ []string) error {
				return read(ctx, o, "/gateways", func(w *tabwriter.Writer, all registry.GatewayList) {
					for _, g := range all.Gateways {
						fmt.Fprintf(w, "%s\t%s\tseen %s\n", g.Gateway, strings.Join(g.Addresses, " "), g.Seen.Format(time.RFC3339))
					}
					if len(all.Gateways) > 0 {
						g := all.Gateways[0]
						fmt.Fprintf(w, "\ncertificate of %s, renewed now and then:\n%s\nissued by, for a trust store:\n%s", g.Gateway, g.Certificate, g.Authorities)
					}
				})
			}),
		c.act("consumers SLUG", "who may use the own service, and whom to tell (afnemers)", []string{"afnemers"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error {
				return read(ctx, o, "/diensten/"+args[0]+"/afnemers", func(w *tabwriter.Writer, all struct {
					Consumers []registry.ConsumerView `json:"afnemers"`
				}) {
					for _, v := range all.Consumers {
						fmt.Fprintf(w, "%s\t%s\t%s\tuntil %s\n", v.Name, v.Purpose, strings.Join(v.Scopes, " "), v.NotAfter.Format(time.DateOnly))
					}
				})
			}),
		c.act("remove SLUG", "take a draft away (verwijderen)", []string{"verwijder"}, cobra.ExactArgs(1),
			func(ctx context.Context, o *office, args []string) error { return o.remove(ctx, "/diensten/"+args[0]) }))
}

// testService shows what the gateways found. It fails when one of them found a fault, or none answered.
func (o *office) testService(ctx context.Context, slug string) error {
	var v registry.ProbeView
	if _, err := o.api.Do(ctx, http.MethodPost, "/diensten/"+slug+"/proef", "", nil, &v); err != nil {
		return err
	}
	if o.json {
		if err := o.print(v); err != nil {
			return err
		}
	} else {
		for _, g := range v.Gateways {
			if !g.Answered {
				fmt.Fprintf(o.stdout, "gateway %s did not answer; it may be gone\n", g.Gateway)
				continue
			}
			fmt.Fprintf(o.stdout, "gateway %s\n", g.Gateway)
			for _, s := range g.Steps {
				mark := "ok   "
				if !s.OK {
					mark = "FAULT"
				}
				fmt.Fprintf(o.stdout, "  %s %s %s: %s\n", mark, s.Address, s.Step, s.EN)
				if !s.OK {
					fmt.Fprintf(o.stdout, "        next: %s\n", s.NextEN)
				}
			}
		}
	}
	if !v.OK() {
		return fmt.Errorf("service %s cannot be reached from every gateway as it should", slug)
	}
	return nil
}

// assess shows what the hub says of every description. It fails when something has to be mended.
func (o *office) assess(ctx context.Context, slug string, body registry.ServiceBody) error {
	var all struct {
		Assessments []registry.AssessmentView `json:"keuringen"`
	}
	if _, err := o.api.Do(ctx, http.MethodPost, "/diensten/"+slug+"/keuring", "", registry.AssessmentBody{APIs: body.APIs, CAs: body.Upstream.CAs}, &all); err != nil {
		return err
	}
	blocking := 0
	for _, x := range all.Assessments {
		for _, f := range slices.Concat(x.Faults, x.Findings) {
			if f.Blocking {
				blocking++
			}
		}
	}
	if o.json {
		if err := o.print(all); err != nil {
			return err
		}
	} else {
		for _, x := range all.Assessments {
			o.showAssessment(x)
		}
	}
	if blocking > 0 {
		return fmt.Errorf("%d findings have to be mended", blocking)
	}
	return nil
}

func (o *office) showAssessment(x registry.AssessmentView) {
	fmt.Fprintf(o.stdout, "%s\n", x.BasePath)
	for _, f := range slices.Concat(x.Faults, x.Findings) {
		fmt.Fprintf(o.stdout, "  line %d: %s %s: %s\n", f.Line, f.Severity, f.Rule, f.Message)
		if f.FixEN != "" {
			fmt.Fprintf(o.stdout, "      %s\n", f.FixEN)
		}
	}
	for _, op := range x.Operations {
		note := ""
		if op.ProposedScope {
			note = " (scope proposed)"
		}
		fmt.Fprintf(o.stdout, "  %s %s %s%s\n", op.Method, op.Path, op.Scope, note)
	}
	for _, c := range x.Changes {
		mark := "  changes: "
		if c.Breaking {
			mark = "  BREAKS: "
		}
		fmt.Fprintln(o.stdout, mark+strings.TrimSpace(c.Operation+" "+c.EN))
	}
}

// readService reads the file and everything it names.
func readService(file string) (registry.ServiceBody, error) {
	var f serviceFile
	if err := readYAML(file, &f); err != nil {
		return registry.ServiceBody{}, err
	}
	return f.body(filepath.Dir(file))
}

// readYAML reads a file strictly.
func readYAML(file string, dst any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(dst); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// body reads what the file names below a folder.
func (f *serviceFile) body(dir string) (registry.ServiceBody, error) {
	body := registry.ServiceBody{
		Title: f.Title, FSCName: f.FSCName, Personal: f.Personal, Published: f.Published, Public: f.Public, APIs: []registry.APIBody{},
		Upstream: registry.UpstreamBody{
			Addresses: f.Upstream.Addresses, Timeout: f.Upstream.Timeout, MaxBody: f.Upstream.MaxBody, Idempotent: f.Upstream.Idempotent,
		},
	}
	body.Facts = registry.ServiceFacts(f.Facts)
	body.Upstream.Auth, body.Upstream.AuthName = f.Upstream.Auth, f.Upstream.AuthName
	var err error
	if body.Upstream.Secret, err = beside(dir, f.Upstream.Secret); err != nil {
		return body, err
	}
	body.Upstream.Secret = strings.TrimSpace(body.Upstream.Secret)
	if body.Upstream.CAs, err = beside(dir, f.Upstream.CA); err != nil {
		return body, err
	}
	for _, a := range f.APIs {
		text, err := beside(dir, a.OpenAPI)
		if err != nil {
			return body, err
		}
		body.APIs = append(body.APIs, registry.APIBody{
			BasePath: a.BasePath, OpenAPI: text, Deprecated: a.Deprecated, Sunset: a.Sunset, Successor: a.Successor, Source: a.URL,
		})
	}
	return body, nil
}

// beside reads a file by its name in a folder; no name is no text.
func beside(dir, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	text, err := os.ReadFile(name)
	return string(text), err
}
