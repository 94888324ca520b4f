package telemetry

import (
	"errors"
	"net/url"
)

// Target is the part of a configuration file that says where spans go.
type Target struct {
	Endpoint string  `yaml:"endpoint"` // URL of an OTLP/HTTP trace intake: the journal's /v1/traces or any collector's; empty: nowhere
	Ratio    float64 `yaml:"ratio"`    // share of new traces that is sampled, 0 to 1
}

// Validate reports all faults together.
func (t Target) Validate() error {
	var faults []error
	if !(t.Ratio >= 0 && t.Ratio <= 1) {
		faults = append(faults, errors.New("telemetry.ratio is not between 0 and 1"))
	}
	if u, err := url.Parse(t.Endpoint); t.Endpoint != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		faults = append(faults, errors.New("telemetry.endpoint is not an http(s) URL"))
	}
	return errors.Join(faults...)
}
