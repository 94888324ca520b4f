package allinone

import (
	_ "embed" // the demo region
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"go.yaml.in/yaml/v3"

	address "noorderhub.nl/hub/services/address/api"
)

// parts have a workload certificate.
var parts = []string{"gateway", "registry", "authserver", "journal", "address", "portal", "hubctl"}

//go:embed region.yaml
var regionTemplate string

const regionFile = "region.yaml"

// region is what the all-in-one itself reads of the region file: for whom it makes keys, and where.
type region struct {
	Hub struct {
		Organisation string `yaml:"organisation"`
	} `yaml:"hub"`
	Organisations []organisation `yaml:"organisations"`
	Clients       []client       `yaml:"clients"`
	Contracts     struct {
		Directory string `yaml:"directory"`
	} `yaml:"contracts"`
}

type organisation struct {
	Slug         string   `yaml:"slug"`
	Name         string   `yaml:"name"`
	OIN          string   `yaml:"oin"`
	Certificates []string `yaml:"certificates"`
}

type client struct {
	ID           string   `yaml:"id"`
	Organisation string   `yaml:"organisation"`
	Alg          string   `yaml:"alg"`
	Keys         []string `yaml:"keys"`
	Certificates []string `yaml:"certificates"`
}

func (r *region) organisation(slug string) organisation {
	for _, o := range r.Organisations {
		if o.Slug == slug {
			return o
		}
	}
	return organisation{Slug: slug}
}

func (r *region) hubOIN() string { return r.organisation(r.Hub.Organisation).OIN }

// contractLife is the window of the demo contracts.
const contractLife = 365 * 24 * time.Hour

// writeRegion puts the region file and the OpenAPI files it names into the data folder. The window of the contracts
// is kept from the first start: contracts that were signed say the same.
func writeRegion(dir, addressService string, signed time.Time) (*region, error) {
	var text strings.Builder
	tmpl, err := template.New(regionFile).Parse(regionTemplate)
	if err != nil {
		return nil, err
	}
	from := signed.UTC().Truncate(time.Second)
	err = tmpl.Execute(&text, map[string]string{
		"Address": addressService, "From": from.Format(time.RFC3339), "Until": from.Add(contractLife).Format(time.RFC3339),
	})
	if err != nil {
		return nil, err
	}
	openapi := filepath.Join(dir, "openapi")
	if err := os.MkdirAll(openapi, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(openapi, "bag.yaml"), address.OpenAPI, 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, regionFile), []byte(text.String()), 0o600); err != nil {
		return nil, err
	}
	r := &region{}
	return r, yaml.Unmarshal([]byte(text.String()), r)
}
