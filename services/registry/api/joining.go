package api

import (
	"encoding/json"
	"time"
)

// Invitations, applications and what a new organisation accepts. The form is what its people sign, so its members keep
// their names.

// ApplicationForm is what an organisation says of itself when it wants to join. Every person in it signs it with the own key.
type ApplicationForm struct {
	Group      string    `json:"groep"`                 // FSC group of the hub, so that a form for one hub is nothing at another
	Invitation string    `json:"uitnodiging,omitempty"` // id, where the hub or a partner asked for it
	Made       time.Time `json:"opgesteld"`

	OIN          string    `json:"oin,omitempty"`
	KvK          string    `json:"kvk,omitempty"` // eight digits, of a supplier without an OIN
	Slug         string    `json:"slug"`
	Name         string    `json:"naam"`
	Municipality string    `json:"gemeentecode,omitempty"`
	Contacts     []Contact `json:"contacten"`

	People   []Applicant      `json:"personen"`
	Accepted []AcceptanceBody `json:"aanvaard"`
}

// Applicant is one of the first people of an organisation.
type Applicant struct {
	ID    string          `json:"id"`
	Name  string          `json:"naam"`
	Email string          `json:"email"`
	Roles []string        `json:"rollen"`
	Key   json.RawMessage `json:"sleutel"` // public JWK, with which the person signed the form and will act
}

// AcceptanceBody names the very text that was accepted.
type AcceptanceBody struct {
	Kind    string `json:"soort"`  // voorwaarden or verwerkersovereenkomst
	Version string `json:"versie"` //
	Digest  string `json:"sha256"` // of the text, in hex
}

// AcceptanceView is an acceptance with who gave it when.
type AcceptanceView struct {
	AcceptanceBody
	By   string    `json:"door"` // id of the person
	When time.Time `json:"op"`
}

// DocumentView is a text that every organisation of the hub accepts.
type DocumentView struct {
	AcceptanceBody
	Text string `json:"tekst"` // Markdown
}

// InvitationBody asks an organisation to join.
type InvitationBody struct {
	Name string `json:"naam"`
	OIN  string `json:"oin,omitempty"`
	KvK  string `json:"kvk,omitempty"`
}

// ApplicationBody is a signed form: a JWS in JSON (RFC 7515 §7.2.1) with the form as its payload.
type ApplicationBody struct {
	Payload    string               `json:"payload"`
	Signatures []ApplicantSignature `json:"signatures"`
}

// ApplicantSignature is that of one person; the kid in its header is the person's id.
type ApplicantSignature struct {
	Protected string `json:"protected"`
	Signature string `json:"signature"`
}

// ApplicationView is an invitation or application with where it stands.
type ApplicationView struct {
	ID      string           `json:"id"`
	State   string           `json:"toestand"` // uitgenodigd, aangevraagd, toegelaten or afgewezen
	OIN     string           `json:"oin,omitempty"`
	Name    string           `json:"naam"`
	Sponsor string           `json:"via"` // OIN of who brought it
	Since   time.Time        `json:"sinds"`
	Reason  string           `json:"reden,omitempty"`
	Steps   []StepView       `json:"stappen"`
	Form    *ApplicationForm `json:"formulier,omitempty"` // of an invitation: what is known, to fill in and sign
}

// StepView is one step of joining.
type StepView struct {
	Step string `json:"stap"`
	Done bool   `json:"gereed"`
	Who  string `json:"aanZet,omitempty"` // who must act: aanvrager, organisatie or hubbeheer
	NL   string `json:"tekst"`
	EN   string `json:"tekstEn"`
}

// PartBody says that an OIN is part of another organisation.
type PartBody struct {
	Of     string     `json:"onder,omitempty"` // OIN; empty: it stands by itself
	Ended  *time.Time `json:"beeindigd,omitempty"`
	Reason string     `json:"toelichting"`
}

// DecisionBody rejects an application.
type DecisionBody struct {
	Reason string `json:"reden"`
}
