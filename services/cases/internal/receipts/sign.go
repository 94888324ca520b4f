package receipts

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gowebpki/jcs"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/token/jws"
	"noorderhub.nl/hub/services/cases/api"
	"noorderhub.nl/hub/services/cases/internal/exchange"
)

var codeKey = &errs.Code{
	ID: "receipt-key-missing", Kind: errs.Forbidden, Side: errs.SideOrganisation, Title: "Your organisation has no receipt key in force",
	Next: "Let the signatory of your organisation sign a statement for a receipt key and give it to the hub.",
}

var codeHubKey = &errs.Code{
	ID: "receipt-key-hub", Kind: errs.Unavailable, Side: errs.SideHub, Title: "The hub has no receipt key in force",
	Next: "Report the trace id to the hub and try again later.",
}

// Signer signs receipts. It is an exchange.Signer.
type Signer struct {
	Keys *Keys
	Hub  string // OIN
}

// Sign gives the receipt of a transition as a compact JWS over canonical JSON.
func (s Signer) Sign(t *exchange.Transfer, r exchange.Receipt) (string, error) {
	held, ok := s.Keys.signing[r.Actor]
	if !ok || !held.statement.Covers(r.At) {
		code := codeKey
		if r.Actor == s.Hub {
			code = codeHubKey
		}
		return "", code.New("no receipt key with a statement in force is held for %s", r.Actor)
	}
	text, err := json.Marshal(payload(t, r))
	if err != nil {
		return "", fmt.Errorf("receipt: %w", err)
	}
	canonical, err := jcs.Transform(text)
	if err != nil {
		return "", fmt.Errorf("receipt: %w", err)
	}
	header, err := json.Marshal(struct {
		Alg string `json:"alg"`
		Kid string `json:"kid"`
		Typ string `json:"typ"`
	}{jws.ES256, held.kid, api.TypeReceipt})
	if err != nil {
		return "", fmt.Errorf("receipt: %w", err)
	}
	return jws.SignES256(held.key, jws.EncodeHeader(header), canonical)
}

func payload(t *exchange.Transfer, r exchange.Receipt) api.Receipt {
	out := api.Receipt{
		ID: r.ID, Transfer: t.ID, Sequence: r.Sequence, Type: string(r.Type), Actor: r.Actor, At: r.At.UTC(),
		ManifestSHA256: api.Manifest(t.Offer.Manifest).SHA256(),
	}
	if r.Previous != "" {
		out.Previous = api.ReceiptHash(r.Previous)
	}
	switch r.Type {
	case exchange.Offered:
		out.Details = offered(t)
	case exchange.Declined, exchange.Withdrawn:
		out.Details.Reason = t.Reason
	case exchange.Refused:
		out.Details.Reason, out.Details.Code = t.Reason, string(t.Code)
	case exchange.Expired:
		out.Details.WaitedFor, out.Details.Deadline = r.WaitedFor, moment(t.Deadline)
	case exchange.Closed:
		out.Details.Source = string(t.Source)
	case exchange.Acknowledged:
		out.Details.Processed = &api.Processed{ID: t.Processed.ID, URL: t.Processed.URL}
	case exchange.Delivered:
		manifest := api.Manifest(t.Offer.Manifest)
		out.Details.Manifest = &manifest
	case exchange.Accepted:
	}
	return out
}

func offered(t *exchange.Transfer) api.Details {
	key, manifest := caseKey(t.Offer.Case), api.Manifest(t.Offer.Manifest)
	return api.Details{
		Sender: t.Sender, Receiver: t.Receiver(), Kind: string(t.Offer.Kind), Case: &key, Manifest: &manifest,
		Deadline: moment(t.Deadline), ContractHash: t.Agreement.ContractHash, GrantHash: t.Agreement.GrantHash,
		Purpose: t.Agreement.Purpose,
	}
}

func caseKey(k exchange.CaseKey) api.CaseKey {
	return api.CaseKey{Source: k.Source, ID: k.ID, Type: api.CaseType(k.Type), Description: k.Description}
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// StatementsOf gives the statements of the keys that receipts were signed with, each once.
func (k *Keys) StatementsOf(receipts []string) ([]string, error) {
	statements, seen := []string{}, map[string]bool{}
	for _, compact := range receipts {
		m, err := jws.Parse(compact, maxReceipt)
		if err != nil {
			return nil, fmt.Errorf("receipt held: %w", err)
		}
		if seen[m.KeyID] {
			continue
		}
		seen[m.KeyID] = true
		key, ok := k.byKeyID[m.KeyID]
		if !ok {
			return nil, fmt.Errorf("the statement of key %s is not in the folder any more", m.KeyID)
		}
		statements = append(statements, key.Statement)
	}
	return statements, nil
}

// maxReceipt bounds a receipt, in bytes.
const maxReceipt = 32 << 10
