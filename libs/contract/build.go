package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Draft is what goes into a new contract of service connections.
type Draft struct {
	GroupID     string
	IV          string // a UUID; empty: a new one
	CreatedAt   time.Time
	NotBefore   time.Time
	NotAfter    time.Time
	Connections []Connection
	// Publications stand in a contract of their own: FSC allows no mix with connections.
	Publications []Publication
}

// Publication states one service publication grant: Provider offers Service in the directory that a peer keeps.
type Publication struct {
	Directory string // peer id
	Provider  string // peer id
	Service   string // service name in FSC
	Delegator string // on whose behalf Provider publishes; empty: its own
}

func (p Publication) data() map[string]any {
	data := map[string]any{
		"type": ServicePublication.String(), "directory": map[string]any{"peer_id": p.Directory},
		"service": map[string]any{"peer_id": p.Provider, "name": p.Service, "protocol": protocolHTTP},
	}
	if p.Delegator != "" {
		data["type"], data["delegator"] = DelegatedServicePublication.String(), map[string]any{"peer_id": p.Delegator}
	}
	return data
}

// protocolHTTP is the protocol of every service of the hub.
const protocolHTTP = "PROTOCOL_TCP_HTTP_1.1"

// Connection states one service connection grant: Consumer may call Service of Provider. Exactly one of Gateway and
// Thumbprint says which outway calls; for a hosted organisation that is the domain name of the hub's gateway, so that
// its keys rotate without a new contract.
type Connection struct {
	Consumer         string // peer id; the same as Provider for own use
	Provider         string // peer id
	Service          string // service name in FSC
	Gateway          string // domain name in the outway's certificate
	Thumbprint       string // of the outway's public key, 64 hex
	Delegator        string // on whose behalf Consumer calls; empty: its own
	ServiceDelegator string // on whose behalf Provider publishes; empty: its own
	Terms            Terms
}

// Build makes the content of a contract and checks it as if it came from outside. It leaves out what Draft leaves out.
func Build(d Draft) (*Content, error) {
	iv := d.IV
	if iv == "" {
		fresh, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		iv = fresh.String()
	}
	var grants []map[string]any
	for i, c := range d.Connections {
		data, err := c.data()
		if err != nil {
			return nil, fmt.Errorf("connection %d: %w", i+1, err)
		}
		grants = append(grants, map[string]any{"data": data})
	}
	for _, p := range d.Publications {
		grants = append(grants, map[string]any{"data": p.data()})
	}
	raw, err := json.Marshal(map[string]any{
		"fsc_version": Version, "hash_algorithm": HashAlgorithm, "iv": iv, "group_id": d.GroupID,
		"created_at": d.CreatedAt.Unix(), "grants": grants,
		"validity": map[string]any{"not_before": d.NotBefore.Unix(), "not_after": d.NotAfter.Unix()},
	})
	if err != nil {
		return nil, err
	}
	canon, err := canonical(raw)
	if err != nil {
		return nil, err
	}
	return ParseContent(canon)
}

func (c Connection) data() (map[string]any, error) {
	if (c.Gateway == "") == (c.Thumbprint == "") {
		return nil, errors.New("exactly one of gateway and thumbprint says which outway calls")
	}
	id := map[string]any{"type": byThumbprint, "public_key_thumbprint": c.Thumbprint}
	if c.Gateway != "" {
		id = map[string]any{"type": byDomainName, "domain_name": c.Gateway}
	}
	service := map[string]any{"type": typeService, "peer_id": c.Provider, "name": c.Service}
	if c.ServiceDelegator != "" {
		service["type"], service["delegator"] = typeDelegatedService, map[string]any{"peer_id": c.ServiceDelegator}
	}
	data := map[string]any{
		"type":    ServiceConnection.String(),
		"outway":  map[string]any{"peer_id": c.Consumer, "identification": id},
		"service": service,
	}
	if c.Delegator != "" {
		data["type"], data["delegator"] = DelegatedServiceConnection.String(), map[string]any{"peer_id": c.Delegator}
	}
	if properties := c.Terms.properties(); len(properties) > 0 {
		data["properties"] = properties
	}
	return data, nil
}
