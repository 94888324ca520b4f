package material

import (
	_ "embed" // the demo region
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"go.yaml.in/yaml/v3"

	address "noorderhub.nl/hub/services/address/api"
	cases "noorderhub.nl/hub/services/cases/api"
)

//go:embed region.yaml
var regionTemplate string

var (
	//go:embed documents/voorwaarden.md
	terms []byte
	//go:embed documents/verwerkersovereenkomst.md
	processor []byte
)

// ContractLife is the window of the demo contracts.
const ContractLife = 365 * 24 * time.Hour

// Region is what is read of the region file here: for whom keys are made, and where they go.
type Region struct {
	Hub struct {
		Organisation string `yaml:"organisation"`
	} `yaml:"hub"`
	Organisations []Organisation `yaml:"organisations"`
	Clients       []Client       `yaml:"clients"`
	Contracts     struct {
		Directory string  `yaml:"directory"`
		Terms     []Terms `yaml:"terms"`
	} `yaml:"contracts"`
}

// Organisation of the region file.
type Organisation struct {
	Slug         string   `yaml:"slug"`
	Name         string   `yaml:"name"`
	OIN          string   `yaml:"oin"`
	Certificates []string `yaml:"certificates"`
}

// Client of the region file.
type Client struct {
	ID           string   `yaml:"id"`
	Organisation string   `yaml:"organisation"`
	Person       string   `yaml:"person"` // whose key it is; "" of a program
	Alg          string   `yaml:"alg"`
	Keys         []string `yaml:"keys"`
	Certificates []string `yaml:"certificates"`
	Assignments  []struct {
		Name     string `yaml:"name"`
		Contract string `yaml:"contract"`
	} `yaml:"assignments"`
}

// Terms of the region file.
type Terms struct {
	Name     string `yaml:"name"`
	Service  string `yaml:"service"`
	Provider string `yaml:"provider"` // "" where it is the hub, as owner of the service
}

// Organisation finds one by its slug.
func (r *Region) Organisation(slug string) Organisation {
	for _, o := range r.Organisations {
		if o.Slug == slug {
			return o
		}
	}
	return Organisation{Slug: slug}
}

// Client finds one by its id.
func (r *Region) Client(id string) Client {
	for _, c := range r.Clients {
		if c.ID == id {
			return c
		}
	}
	return Client{ID: id}
}

// HubOIN is the hub as organisation.
func (r *Region) HubOIN() string { return r.Organisation(r.Hub.Organisation).OIN }

// Places is what a region file differs in from one hub to another.
type Places struct {
	Upstreams map[string][]string          // part → addresses of its instances: https://host:port, or one consul:NAME
	Signed    time.Time                    // when the contracts were signed; their window begins then
	Terms     map[string]map[string]string // contract → term → another value, for scenarios; may be nil
}

// WriteRegion puts the demo region's file and the OpenAPI files it names into the folder. The window of the contracts
// is that of the first time: contracts that were signed say the same.
func WriteRegion(f Files, p Places) (*Region, error) {
	text, err := regionText(p)
	if err != nil {
		return nil, err
	}
	for name, content := range map[string][]byte{
		"openapi/bag.yaml": address.OpenAPI, "openapi/overdracht.yaml": cases.OpenAPI,
		"documents/voorwaarden.md": terms, "documents/verwerkersovereenkomst.md": processor,
	} {
		file := f.Path(filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, content, 0o600); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(f.Region(), text, 0o600); err != nil {
		return nil, err
	}
	r := &Region{}
	return r, yaml.Unmarshal(text, r)
}

// regionText fills in the template. {{addresses "PART"}} is the list of a part's instances.
func regionText(p Places) ([]byte, error) {
	tmpl, err := template.New("region.yaml").Option("missingkey=error").Funcs(template.FuncMap{
		"addresses": func(part string) (string, error) {
			if len(p.Upstreams[part]) == 0 {
				return "", fmt.Errorf("no address of %s", part)
			}
			return `["` + strings.Join(p.Upstreams[part], `", "`) + `"]`, nil
		},
	}).Parse(regionTemplate)
	if err != nil {
		return nil, err
	}
	from := p.Signed.UTC().Truncate(time.Second)
	var text strings.Builder
	err = tmpl.Execute(&text, map[string]string{
		"From": from.Format(time.RFC3339), "Until": from.Add(ContractLife).Format(time.RFC3339),
	})
	if err != nil || len(p.Terms) == 0 {
		return []byte(text.String()), err
	}
	return withTerms([]byte(text.String()), p.Terms)
}

// withTerms gives contracts other terms. A contract that is not there is an error.
func withTerms(text []byte, terms map[string]map[string]string) ([]byte, error) {
	var region map[string]any
	if err := yaml.Unmarshal(text, &region); err != nil {
		return nil, err
	}
	contracts, _ := region["contracts"].(map[string]any)
	list, _ := contracts["terms"].([]any)
	left := len(terms)
	for _, entry := range list {
		contract, _ := entry.(map[string]any)
		name, _ := contract["name"].(string)
		changes, ok := terms[name]
		if !ok {
			continue
		}
		left--
		for term, value := range changes {
			var v any
			if err := yaml.Unmarshal([]byte(value), &v); err != nil {
				return nil, fmt.Errorf("%s of %s: %w", term, name, err)
			}
			contract[term] = v
		}
	}
	if left > 0 {
		return nil, fmt.Errorf("%d of the contracts with other terms are not in the region", left)
	}
	return yaml.Marshal(region)
}
