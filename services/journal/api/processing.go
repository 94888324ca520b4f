package api

// ProcessingBatch is the body of POST /verwerkingen and the answer to GET /verwerkingen.
type ProcessingBatch struct {
	Records []ProcessingRecord `json:"verwerkingen"`
	Cut     bool               `json:"afgekapt,omitempty"` // answer only: there are more records than it holds
}

// MaxProcessing is the largest number of records in one batch.
const MaxProcessing = 100

// ProcessingRecord is one action on the data of at most one data subject, with the field names of Logboek
// Dataverwerkingen 1.0 (interface). Times are in milliseconds since 1970.
type ProcessingRecord struct {
	// Controller is the OIN of the responsible municipality; empty: the organisation that sends the record. Only the hub,
	// as processor, names another.
	Controller string `json:"verantwoordelijke,omitempty"`

	TraceID      string             `json:"trace_id"`
	SpanID       string             `json:"span_id"`
	ParentSpanID string             `json:"parent_span_id,omitempty"`
	Status       string             `json:"status"` // Unset, Ok or Error
	Name         string             `json:"name"`
	StartTime    int64              `json:"start_time"`
	EndTime      int64              `json:"end_time"`
	Resource     ProcessingResource `json:"resource,omitzero"`
	Attributes   map[string]string  `json:"attributes"`
}

// ProcessingResource describes the application that processed.
type ProcessingResource struct {
	Attributes map[string]string `json:"attributes,omitempty"`
}

// Attributes of a processing record.
const (
	AttributeActivity    = "dpl.core.processing_activity_id"
	AttributeSubject     = "dpl.core.data_subject_id" // raw on the way in over TLS, a pseudonym from then on
	AttributeSubjectType = "dpl.core.data_subject_id_type"
	AttributeProcessor   = "dpl.core.foreign_operation.processor"
)

// Receipt says that every record of a batch is durable.
type Receipt struct {
	Stored int `json:"opgeslagen"` // records, those that were there already included
}

// StatusCode makes the answer 201.
func (Receipt) StatusCode() int { return 201 }
