package api

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// TypeReceipt is the header typ of a receipt.
const TypeReceipt = "hub-receipt+jws"

// Receipt is the payload of a receipt: that something happened to a transfer, signed by who answers for it: offered,
// delivered, expired and destroyed by the hub, withdrawn by the sender, closed by the sender or, when it did not in time, by the hub,
// the others by the receiver. On the wire it is RFC 8785 canonical JSON in a compact JWS
// (ES256); the receipts of a transfer form a chain.
type Receipt struct {
	ID             string    `json:"id"`
	Transfer       string    `json:"transfer"`
	Sequence       int       `json:"seq"`   // from 1, without gaps
	Type           string    `json:"type"`  // the state that the transfer got, or TypeDestroyed
	Actor          string    `json:"actor"` // OIN of who signs
	At             time.Time `json:"at"`
	ManifestSHA256 string    `json:"manifestSha256"`              // Manifest.SHA256
	Previous       string    `json:"prevReceiptSha256,omitempty"` // hex SHA-256 of the compact form of the receipt before it
	Details        Details   `json:"details"`
}

// Details is what a receipt is about. The first one states the whole offer and its agreement.
type Details struct {
	Sender       string     `json:"verzender,omitempty"`
	Receiver     string     `json:"ontvanger,omitempty"`
	Kind         string     `json:"soort,omitempty"`
	Case         *CaseKey   `json:"zaak,omitempty"`
	Manifest     *Manifest  `json:"manifest,omitempty"`
	Deadline     *time.Time `json:"vervaltOp,omitempty"`
	ContractHash string     `json:"contractHash,omitempty"`
	GrantHash    string     `json:"grantHash,omitempty"`
	Purpose      string     `json:"doel,omitempty"`
	Reason       string     `json:"reden,omitempty"`
	Code         string     `json:"redencode,omitempty"`
	WaitedFor    string     `json:"wachtteOp,omitempty"` // OIN of who let the deadline pass
	Source       string     `json:"bronzaak,omitempty"`
	Processed    *Processed `json:"verwerking,omitempty"`
}

// SHA256 is the hex SHA-256 of the manifest's canonical JSON (RFC 8785): its two members in the order of their names.
func (m Manifest) SHA256() string {
	sum := sha256.Sum256(fmt.Appendf(nil, `{"bytes":%d,"zaakSha256":"%s"}`, m.Bytes, m.CaseSHA256))
	return hex.EncodeToString(sum[:])
}

// ReceiptHash is the link of the chain: hex SHA-256 of a receipt in compact form.
func ReceiptHash(compact string) string {
	sum := sha256.Sum256([]byte(compact))
	return hex.EncodeToString(sum[:])
}

// Bundle is all that is needed to check the receipts of one transfer, with no hub at hand. It is the answer to
// GET …/ontvangstbewijzen.
type Bundle struct {
	Transfer   string   `json:"uitwisseling"`
	Receipts   []string `json:"ontvangstbewijzen"` // compact JWS, in order
	Statements []string `json:"verklaringen"`      // of the keys that signed them
}

// Trust is what the check of receipts starts from.
type Trust struct {
	Anchors *x509.CertPool // that contract certificates lead to
	Hub     string         // OIN of the hub; empty: any, but the same throughout
}

// follows says which types a type of receipt may follow; the first one follows nothing.
var follows = map[string][]string{
	StateOffered: {""}, StateAccepted: {StateOffered}, StateDeclined: {StateOffered},
	StateWithdrawn: {StateOffered, StateAccepted}, StateExpired: {StateOffered, StateAccepted},
	StateDelivered: {StateAccepted}, StateAcknowledged: {StateDelivered}, StateRefused: {StateDelivered},
	StateClosed: {StateAcknowledged}, TypeDestroyed: {StateClosed, StateRefused},
}

// signerOf is the OIN of who must sign a receipt of a transfer that began with first.
func signerOf(r, first Receipt) string {
	switch r.Type {
	case StateAccepted, StateDeclined, StateAcknowledged, StateRefused:
		return first.Details.Receiver
	case StateWithdrawn:
		return first.Details.Sender
	case StateClosed:
		if r.Details.Source != SourceUntold {
			return first.Details.Sender
		}
	}
	return first.Actor // the hub
}

// VerifyReceipts checks a whole chain: every statement, every signature, who may sign what, the order, the links and that
// all speak of one manifest. It gives the receipts read, or every fault; one fault makes the bundle worthless as proof.
// That the last receipt is the latest one there is cannot be seen from the bundle alone.
func VerifyReceipts(b Bundle, t Trust) ([]Receipt, error) {
	if len(b.Receipts) == 0 {
		return nil, errors.New("the bundle holds no receipts")
	}
	statements := map[string]Statement{}
	var faults []error
	for i, compact := range b.Statements {
		st, err := VerifyStatement(compact, t.Anchors)
		if err != nil {
			faults = append(faults, fmt.Errorf("statement %d: %w", i+1, err))
			continue
		}
		statements[st.Key.KeyID()] = st
	}
	chain := make([]Receipt, 0, len(b.Receipts))
	for i, compact := range b.Receipts {
		r, err := readReceipt(compact, statements)
		if err != nil {
			faults = append(faults, fmt.Errorf("receipt %d: %w", i+1, err))
		}
		chain = append(chain, r)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	for i, r := range chain {
		previous := ""
		if i > 0 {
			previous = ReceiptHash(b.Receipts[i-1])
		}
		if err := link(b.Transfer, chain[:i+1], previous, t); err != nil {
			faults = append(faults, fmt.Errorf("receipt %d (%s): %w", i+1, r.Type, err))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return chain, nil
}

// ReadReceipt takes a receipt apart without checking anything, for showing.
func ReadReceipt(compact string) (Receipt, error) {
	m, err := parse(compact, TypeReceipt)
	if err != nil {
		return Receipt{}, err
	}
	var r Receipt
	if err := json.Unmarshal(m.payload, &r); err != nil {
		return Receipt{}, errors.New("the payload is malformed")
	}
	return r, nil
}

func readReceipt(compact string, statements map[string]Statement) (Receipt, error) {
	m, err := parse(compact, TypeReceipt)
	if err != nil {
		return Receipt{}, err
	}
	st, ok := statements[m.header.KeyID]
	if !ok {
		return Receipt{}, errors.New("no statement in the bundle covers its key")
	}
	key, err := st.Key.PublicKey()
	if err != nil {
		return Receipt{}, err
	}
	if m.header.Alg != "ES256" {
		return Receipt{}, errors.New("is not signed with ES256")
	}
	if err := m.verify(key); err != nil {
		return Receipt{}, err
	}
	var r Receipt
	if err := json.Unmarshal(m.payload, &r); err != nil {
		return Receipt{}, errors.New("the payload is malformed")
	}
	switch {
	case r.Actor != st.OIN:
		return Receipt{}, fmt.Errorf("is of %s, but signed with a key of %s", r.Actor, st.OIN)
	case !st.Covers(r.At):
		return Receipt{}, errors.New("was signed outside the time that its key is for")
	}
	return r, nil
}

// link checks the last receipt of chain against those before it.
func link(transfer string, chain []Receipt, previous string, t Trust) error {
	r, first := chain[len(chain)-1], chain[0]
	before := ""
	if len(chain) > 1 {
		before = chain[len(chain)-2].Type
	}
	expected, known := follows[r.Type]
	waitedFor := first.Details.Receiver
	if before == StateAccepted {
		waitedFor = first.Details.Sender
	}
	var faults []error
	fault := func(bad bool, text string) {
		if bad {
			faults = append(faults, errors.New(text))
		}
	}
	fault(r.Transfer != transfer, "is of another transfer")
	fault(r.Sequence != len(chain), fmt.Sprintf("has number %d", r.Sequence))
	fault(!known, "has an unknown type")
	fault(known && !slices.Contains(expected, before), "does not follow "+before)
	fault(r.Previous != previous, "does not name the receipt before it")
	fault(r.Actor != signerOf(r, first) || t.Hub != "" && t.Hub != first.Actor, "is not signed by who answers for it")
	fault(r.Type == StateExpired && r.Details.WaitedFor != waitedFor, "does not name who was waited for")
	fault(first.Details.Manifest == nil, "the offer states no manifest")
	fault(first.Details.Manifest != nil && r.ManifestSHA256 != first.Details.Manifest.SHA256(), "is of another manifest than was offered")
	return errors.Join(faults...)
}
