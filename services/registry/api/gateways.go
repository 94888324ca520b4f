package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// GatewayFacts is what a gateway says of itself, for the firewall and the trust store of a service outside the hub.
type GatewayFacts struct {
	Addresses   []string `json:"adressen"`     // IP addresses that its calls come from
	Certificate string   `json:"certificaat"`  // PEM, leaf first: the client certificate it shows to a service that asks for one
	Authorities string   `json:"autoriteiten"` // PEM: who issues it; trust these rather than the certificate, which is renewed
}

// GatewayView is a gateway as an ICT team sees it.
type GatewayView struct {
	Gateway string `json:"gateway"` // instance
	GatewayFacts
	Seen time.Time `json:"gezien"` // when it last said so; it does every minute
}

// GatewayList is the answer of GET /beheer/v1/gateways.
type GatewayList struct {
	Gateways []GatewayView `json:"gateways"`
}

// TellFacts tells the registry what a gateway is known by outside.
func (r *Remote) TellFacts(ctx context.Context, gateway string, facts GatewayFacts) error {
	body, err := json.Marshal(facts)
	if err != nil {
		return err
	}
	resp, err := r.do(ctx, http.MethodPut, "/intern/v1/gateways/"+url.PathEscape(gateway), body, jsonType)
	if err != nil {
		return err
	}
	drain(resp)
	return nil
}
