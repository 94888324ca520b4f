package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Probe asks every gateway to try the upstream of a service.
type Probe struct {
	ID      string  `json:"id"`
	Service Service `json:"dienst"`
}

// ProbeList is the answer of GET /intern/v1/proeven.
type ProbeList struct {
	Probes []Probe `json:"proeven"`
}

// ProbeResult is what one gateway found.
type ProbeResult struct {
	Steps []ProbeStep `json:"stappen"`
}

// ProbeStep is one check of one address, in the order they were made. A step that fails ends the checks of its address.
type ProbeStep struct {
	Address string `json:"adres"`
	Step    string `json:"stap"` // catalogus, dns, poort, tls, klok or pad
	OK      bool   `json:"gelukt"`
	NL      string `json:"tekst"`
	EN      string `json:"tekstEn"`
	NextNL  string `json:"volgende,omitempty"` // of a fault: what to do
	NextEN  string `json:"volgendeEn,omitempty"`
}

// ProbeView is a probe with what the gateways found.
type ProbeView struct {
	Service  string         `json:"dienst"`
	Gateways []GatewayProbe `json:"gateways"`
}

// GatewayProbe is one gateway's side of a probe.
type GatewayProbe struct {
	Gateway  string      `json:"gateway"`    // instance
	Answered bool        `json:"geantwoord"` // false: it did not within the time; it may be gone
	Steps    []ProbeStep `json:"stappen"`
}

// OK tells whether every gateway that answered found nothing wrong, and one did.
func (v ProbeView) OK() bool {
	answered := false
	for _, g := range v.Gateways {
		answered = answered || g.Answered
		for _, s := range g.Steps {
			if !s.OK {
				return false
			}
		}
	}
	return answered
}

// Probes waits for probes that a gateway has not answered.
func (r *Remote) Probes(ctx context.Context, gateway string, wait time.Duration) ([]Probe, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+grace)
	defer cancel()
	resp, err := r.do(ctx, http.MethodGet, "/intern/v1/proeven?gateway="+url.QueryEscape(gateway)+"&wacht="+strconv.Itoa(int(wait/time.Second)), nil, jsonType)
	if err != nil {
		return nil, err
	}
	defer drain(resp)
	var out ProbeList
	if err := json.NewDecoder(io.LimitReader(resp.Body, MaxSnapshot)).Decode(&out); err != nil {
		return nil, fmt.Errorf("probes: %w", err)
	}
	return out.Probes, nil
}

// Probed tells what a gateway found.
func (r *Remote) Probed(ctx context.Context, id, gateway string, result ProbeResult) error {
	body, err := json.Marshal(result)
	if err != nil {
		return err
	}
	resp, err := r.do(ctx, http.MethodPut, "/intern/v1/proeven/"+url.PathEscape(id)+"/"+url.PathEscape(gateway), body, jsonType)
	if err != nil {
		return err
	}
	drain(resp)
	return nil
}
