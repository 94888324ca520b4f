// Package api is the journal's contract: the records that other parts ship to it and the answers it gives.
package api

import "time"

// Record is one line of a gateway's local log and one row of the transaction log. A call has a decision record, durable
// before the call leaves, and an outcome record, appended when the answer is through; they share TransactionID and
// SpanID. Field names outside FSC Logging are the hub's own.
type Record struct {
	ID       RecordID  `json:"recordId"`
	Previous string    `json:"previous"` // hex SHA-256 of the line before in the same log; 64 zeros for the first
	Kind     Kind      `json:"kind"`
	At       time.Time `json:"at"`

	TransactionID string `json:"transaction_id"` // UUIDv7, header Fsc-Transaction-Id
	TraceID       string `json:"trace_id"`       // 32 hex
	SpanID        string `json:"span_id"`        // 16 hex, the gateway's server span

	Decision *Decision `json:"decision,omitempty"` // kind decision
	Outcome  *Outcome  `json:"outcome,omitempty"`  // kind outcome
}

// RecordID is unique for ever: the gateway's stable id and the place in its log.
type RecordID struct {
	Gateway  string `json:"gateway"`
	Sequence uint64 `json:"sequence"` // from 1, without gaps
}

// Kind tells which half of a call a record is.
type Kind string

// The kinds of records.
const (
	KindDecision Kind = "decision"
	KindOutcome  Kind = "outcome"
)

// Decision holds what was asked, under which contract, and what the gateway decided (transaction log and decision log in
// one append).
type Decision struct {
	Permit bool   `json:"permit"`
	Rule   string `json:"rule"`           // the rule that decided, e.g. "grant" or "scope"
	Code   string `json:"code,omitempty"` // error code of a refusal

	Direction   string      `json:"direction"` // FSC: DIRECTION_INCOMING (inside the hub one record stands for both)
	GrantHash   string      `json:"grant_hash,omitempty"`
	Source      Source      `json:"source"`
	Destination Destination `json:"destination"`
	ServiceName string      `json:"service_name"` // FSC name

	Service            string   `json:"service"` // slug
	Operation          string   `json:"operation"`
	Method             string   `json:"method"`
	ClientID           string   `json:"client_id,omitempty"`
	TokenID            string   `json:"jti,omitempty"`
	Scopes             []string `json:"scopes,omitempty"`
	ContractHash       string   `json:"contract_hash,omitempty"`
	Purpose            string   `json:"purpose,omitempty"`
	LegalBasis         string   `json:"legal_basis,omitempty"`
	ProcessingActivity string   `json:"processing_activity_id,omitempty"`
	SnapshotVersion    string   `json:"snapshot_version"` // the policy the decision was made under (ADL level 2)
}

// Source is the asking side, as in FSC Logging.
type Source struct {
	Type            string `json:"type"` // SOURCE_TYPE_SOURCE or SOURCE_TYPE_DELEGATED_SOURCE
	OutwayPeerID    string `json:"outway_peer_id"`
	DelegatorPeerID string `json:"delegator_peer_id,omitempty"`
}

// Destination is the answering side, as in FSC Logging.
type Destination struct {
	Type          string `json:"type"` // DESTINATION_TYPE_DESTINATION
	ServicePeerID string `json:"service_peer_id"`
}

// Outcome says how a call ended. Durations are in microseconds.
type Outcome struct {
	Status        int    `json:"status"`      // HTTP status towards the client; 0: the client went away before it
	AnsweredBy    string `json:"answered_by"` // gateway, cache or service
	Code          string `json:"code,omitempty"`
	DurationUS    int64  `json:"duration_us"` // the whole call at the gateway
	UpstreamUS    int64  `json:"upstream_us"` // until the first byte of the service
	RequestBytes  int64  `json:"request_bytes"`
	ResponseBytes int64  `json:"response_bytes"`
}
