package api

import "time"

// Transaction is the answer to one transaction id: the calls under it that the asker takes part in (one, unless an FSC
// peer used the id for a chain) and how the time went.
type Transaction struct {
	TransactionID string `json:"transactieId"`
	Calls         []Call `json:"aanroepen"`
	Spans         []Span `json:"spans"`
	Cut           bool   `json:"afgekapt"` // there are more spans than the answer holds
}

// Trace is the answer to one trace id.
type Trace struct {
	TraceID string `json:"traceId"`
	Calls   []Call `json:"aanroepen"`
	Spans   []Span `json:"spans"`
	Cut     bool   `json:"afgekapt"`
}

// CallPage is one page of calls, newest first.
type CallPage struct {
	Calls []Call `json:"aanroepen"`
	Next  string `json:"volgende,omitempty"` // cursor of the next page; empty at the end
}

// Call is one call as both sides may see it: who asked whom for what, under which agreement, and how it ended.
type Call struct {
	TransactionID string    `json:"transactieId"`
	TraceID       string    `json:"traceId"`
	SpanID        string    `json:"spanId"`
	At            time.Time `json:"tijdstip"`
	Gateway       string    `json:"gateway"`
	Sequence      uint64    `json:"volgnummer"` // place of the decision in the gateway's log

	Permit bool   `json:"toegestaan"`
	Rule   string `json:"regel"`
	Code   string `json:"code,omitempty"`

	Consumer  string `json:"afnemer,omitempty"` // OIN
	Delegator string `json:"namens,omitempty"`  // OIN
	Provider  string `json:"aanbieder"`         // OIN
	ClientID  string `json:"clientId,omitempty"`

	Service     string   `json:"dienst"` // slug
	ServiceName string   `json:"dienstnaam,omitempty"`
	Operation   string   `json:"operatie,omitempty"`
	Method      string   `json:"methode,omitempty"`
	Scopes      []string `json:"scopes,omitempty"`

	ContractHash       string `json:"contractHash,omitempty"`
	GrantHash          string `json:"grantHash,omitempty"`
	Purpose            string `json:"doel,omitempty"`
	LegalBasis         string `json:"grondslag,omitempty"`
	ProcessingActivity string `json:"verwerkingsactiviteitId,omitempty"`
	SnapshotVersion    string `json:"momentopname,omitempty"`

	Ending *Ending `json:"uitkomst,omitempty"` // absent while the call runs, or when its gateway fell over
}

// Ending is how a call ended. Durations are in microseconds.
type Ending struct {
	Status        int       `json:"status"` // 0: the client went away before the answer
	AnsweredBy    string    `json:"beantwoordDoor"`
	Code          string    `json:"code,omitempty"`
	At            time.Time `json:"tijdstip"`
	DurationUS    int64     `json:"duurUs"`
	UpstreamUS    int64     `json:"dienstUs"`
	RequestBytes  int64     `json:"verzoekBytes"`
	ResponseBytes int64     `json:"antwoordBytes"`
}

// Span is one row of a waterfall, in the order in which it is drawn: a parent before its children, children by start.
type Span struct {
	SpanID     string            `json:"spanId"`
	ParentID   string            `json:"ouderSpanId,omitempty"`
	Depth      int               `json:"diepte"`
	Part       string            `json:"onderdeel"` // service.name of who made it
	Name       string            `json:"naam"`
	Kind       string            `json:"soort"`   // server, client, internal, producer or consumer
	BeginUS    int64             `json:"beginUs"` // after the start of the first span
	DurationUS int64             `json:"duurUs"`
	Status     string            `json:"status"` // Unset, Ok or Error
	Attributes map[string]string `json:"attributen,omitempty"`
}

// Head is the last record that the journal holds of one gateway's log.
type Head struct {
	Gateway  string `json:"gateway"`
	Sequence uint64 `json:"sequence"` // 0: none yet
	Hash     string `json:"hash"`     // of that record; Genesis when there is none
}
