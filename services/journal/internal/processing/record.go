// Package processing holds the rules of the processing log (Logboek Dataverwerkingen 1.0): which fields a record may
// have, that it names at most one data subject, and that the subject is a pseudonym before it is stored. What is not on
// the list is refused: no employee, no payload, no BSN (standards LDV-02, LDV-06).
package processing

import "noorderhub.nl/hub/libs/errs"

// Record is one action. Times are in milliseconds since 1970; ids are lower-case hex.
type Record struct {
	Controller   string // OIN of the responsible municipality
	TraceID      string
	SpanID       string
	ParentSpanID string
	Status       string
	Name         string
	StartTime    int64
	EndTime      int64
	Resource     map[string]string
	Attributes   map[string]string
}

// Keys of attributes that rules speak about.
const (
	keyActivity     = "dpl.core.processing_activity_id"
	keySubject      = "dpl.core.data_subject_id"
	keySubjectType  = "dpl.core.data_subject_id_type"
	keyProcessor    = "dpl.core.foreign_operation.processor"
	keyErrorType    = "exception.type"
	keyErrorMessage = "exception.message"
	keyErrorStack   = "exception.stacktrace"
)

// subjectBSN is the type of a data subject id that is a BSN.
const subjectBSN = "BSN"

// defaultName stands where the application gave no name: the standard wants a default rather than a lost record.
const defaultName = "verwerking"

var codeController = &errs.Code{
	ID: "not-responsible", Kind: errs.Forbidden, Side: errs.SideOrganisation, Title: "Not the responsible organisation",
	Next: "Leave verantwoordelijke out: your records go to the logbook of your own organisation.",
}

// Sender is who brings records: an organisation, and whether it is the hub, which processes for others.
type Sender struct {
	OIN string
	Hub bool
}

// Assign fills in whose logbook a record belongs to. An organisation writes in its own; the hub, as processor, in that of
// the controller it names.
func (r *Record) Assign(s Sender) error {
	switch {
	case r.Controller == "":
		r.Controller = s.OIN
	case r.Controller != s.OIN && !s.Hub:
		return codeController.New("a record names another organisation as responsible than the one that sends it")
	}
	return nil
}
