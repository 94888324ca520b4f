package api

import (
	_ "embed"
	"time"
)

// OpenAPI describes the administration API (/beheer/v1), in YAML.
//
//go:embed openapi.yaml
var OpenAPI []byte

// InternalOpenAPI describes the API between the parts (/intern/v1), in YAML.
//
//go:embed openapi-intern.yaml
var InternalOpenAPI []byte

// Reloaded is the answer of POST /intern/v1/herladen.
type Reloaded struct {
	Version string `json:"versie"` // epoch.number
}

// OrganisationView is an organisation in GET /beheer/v1/organisaties.
type OrganisationView struct {
	OIN          string    `json:"oin"`
	Slug         string    `json:"slug"`
	Name         string    `json:"naam"`
	Municipality string    `json:"gemeentecode,omitempty"`
	Contacts     []Contact `json:"contacten"`
}

// Contact is a role of an organisation with an address.
type Contact struct {
	Role  string `json:"rol"`
	Email string `json:"email"`
}

// ServiceView is a shared service in GET /beheer/v1/diensten.
type ServiceView struct {
	Slug       string          `json:"slug"`
	Title      string          `json:"titel"`
	Owner      string          `json:"aanbieder"` // OIN
	FSCName    string          `json:"fscNaam"`
	BasePaths  []string        `json:"basispaden"`
	Personal   bool            `json:"persoonsgegevens"`
	Operations []OperationView `json:"operaties"`
}

// OperationView is one operation of a service with the scope it asks.
type OperationView struct {
	ID     string `json:"id"`
	Method string `json:"methode"`
	Path   string `json:"pad"`
	Scope  string `json:"scope"`
}

// AgreementView is a contract in GET /beheer/v1/afspraken, without its signatures.
type AgreementView struct {
	Hash      string             `json:"hash"` // content hash
	State     string             `json:"toestand"`
	NotBefore time.Time          `json:"geldigVanaf"`
	NotAfter  time.Time          `json:"geldigTot"`
	Missing   []string           `json:"ontbrekendeHandtekeningen"` // OINs
	Grants    []AgreementElement `json:"toestemmingen"`
}

// AgreementElement is one grant of a contract.
type AgreementElement struct {
	Hash               string   `json:"hash"`
	Type               string   `json:"soort"`
	Consumer           string   `json:"afnemer,omitempty"`
	Provider           string   `json:"aanbieder"`
	Delegator          string   `json:"namens,omitempty"`
	Service            string   `json:"dienst"`
	Purpose            string   `json:"doel,omitempty"`
	LegalBasis         string   `json:"grondslag,omitempty"`
	ProcessingActivity string   `json:"verwerkingsactiviteit,omitempty"`
	Scopes             []string `json:"scopes"`
}
