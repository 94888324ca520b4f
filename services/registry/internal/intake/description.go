package intake

import (
	"slices"

	"noorderhub.nl/hub/services/registry/internal/designrules"
	"noorderhub.nl/hub/services/registry/internal/designrules/tree"
)

// Description is what a text says of a service.
type Description struct {
	Title   string
	Version string
	Contact Contact
	Servers []string // addresses as they stand there, with {variables}

	// Converted tells that the text was Swagger 2.0.
	Converted  bool
	Operations []Operation // by path, then method

	// Text is the description to publish: JSON, OpenAPI 3, with the proposed operationIds filled in.
	Text []byte

	doc   *tree.Document
	nodes map[string]operationNodes // by operation ID
}

// Contact is who answers questions about the service.
type Contact struct {
	Name, Email, URL string
}

// Operation is one method on one path.
type Operation struct {
	ID      string
	Method  string // upper case
	Path    string // template below the base path, e.g. /zaken/{uuid}
	Summary string

	// Scopes is the scope that a token needs: one, or none where the operation is Open.
	Scopes []string
	// Open: the description says `security: []`, nothing is asked of who calls.
	Open bool
	// Proposed tells what the description left out and this package filled in.
	Proposed Proposed
	// Deprecated as the description says.
	Deprecated bool
	// Personal are names of parameters and fields that suggest data about people, sorted. A hint for whoever chooses the
	// data class, never a decision.
	Personal []string
}

// Proposed marks what is not the provider's own word yet.
type Proposed struct {
	ID     bool
	Scopes bool
}

// operationNodes are where an operation stands in the text.
type operationNodes struct {
	operation, path *tree.Node
	template        string // of the path
}

// Operation gives the operation of an ID, nil where there is none.
func (d *Description) Operation(id string) *Operation {
	i := slices.IndexFunc(d.Operations, func(o Operation) bool { return o.ID == id })
	if i < 0 {
		return nil
	}
	return &d.Operations[i]
}

// Fault is one reason why a text cannot be taken in.
type Fault struct {
	Field  string // JSON pointer in the text; "" the text as a whole
	Line   int    // from 1; 0 not known
	Rule   string // "intake:" and a word
	Reason string
	Next   designrules.Text
}

// Faults is the error of a text that is refused: everything that is wrong with it.
type Faults []Fault

// Error lists the faults, one a line.
func (f Faults) Error() string {
	out := ""
	for i, fault := range f {
		if i > 0 {
			out += "\n"
		}
		if fault.Field != "" {
			out += fault.Field + ": "
		}
		out += fault.Reason
	}
	return out
}
