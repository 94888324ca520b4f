package api

import (
	_ "embed"
	"encoding/json"
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

	Part  string     `json:"onder,omitempty"`     // OIN of the organisation it is part of
	Ended *time.Time `json:"beeindigd,omitempty"` // since when it is merged into that
}

// Contact is a role of an organisation with an address.
type Contact struct {
	Role  string `json:"rol"`
	Email string `json:"email"`
	Phone string `json:"telefoon,omitempty"`
	Hours string `json:"bereikbaar,omitempty"`
}

// ServiceView is a shared service in GET /beheer/v1/diensten.
type ServiceView struct {
	Slug       string          `json:"slug"`
	Title      string          `json:"titel"`
	Owner      string          `json:"aanbieder"` // OIN
	FSCName    string          `json:"fscNaam"`
	BasePaths  []string        `json:"basispaden"`
	Personal   bool            `json:"persoonsgegevens"`
	Published  bool            `json:"gepubliceerd"`
	Operations []OperationView `json:"operaties"`
	Ending     []EndingView    `json:"eindigend,omitempty"`
	Contacts   []Contact       `json:"contacten,omitempty"` // of the owner
	Facts      *ServiceFacts   `json:"gegevens,omitempty"`
	Advice     *AdviceView     `json:"advies,omitempty"` // for the owner only
	Body       *ServiceBody    `json:"invoer,omitempty"` // as its owner put it; for the owner only
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
	Missing   []string           `json:"ontbrekendeHandtekeningen"` // OINs: whom it waits for
	Since     *time.Time         `json:"sinds,omitempty"`           // when it came in or was last signed
	Name      string             `json:"naam,omitempty"`
	Grants    []AgreementElement `json:"toestemmingen"`

	Predecessor string     `json:"opvolgerVan,omitempty"` // hash
	Reason      string     `json:"reden,omitempty"`       // why it was rejected or revoked
	Reminded    *time.Time `json:"herinnerd,omitempty"`
	Waiting     []Waiting  `json:"wachtOp,omitempty"` // whom it waits for, with whom to call
}

// Waiting is an organisation whose signature is missing.
type Waiting struct {
	OIN      string    `json:"oin"`
	Name     string    `json:"naam"`
	Contacts []Contact `json:"contacten"`
}

// ComparisonView says what a contract changes.
type ComparisonView struct {
	With    string           `json:"met,omitempty"` // hash of the contract, or the template, it is compared with; none: there is nothing before it
	Changes []DifferenceView `json:"verschillen"`
}

// DifferenceView is one difference in words.
type DifferenceView struct {
	Service string `json:"dienst,omitempty"`
	Term    string `json:"term"`
	Effect  string `json:"gevolg"` // ruimer, beperkter or anders
	NL      string `json:"tekst"`
	EN      string `json:"tekstEn"`
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

	Fields       map[string][]string `json:"velden,omitempty"`
	Binding      string              `json:"binding,omitempty"`
	Rate         int                 `json:"perSeconde,omitempty"`
	Quota        int                 `json:"perDag,omitempty"`
	CacheSeconds int                 `json:"bewaarSeconden,omitempty"`
	Logging      string              `json:"logging,omitempty"`
	Tariff       string              `json:"tarief,omitempty"`

	Narrowings []NarrowingView `json:"beperkingen,omitempty"`
}

// AgreementDetail is one contract whole.
type AgreementDetail struct {
	AgreementView
	Contract json.RawMessage `json:"contract"` // FSC JSON with signatures
}

// The types below are the bodies of the administration API that can be written as well as read. What a reader gets beside
// them (state, owner, revision) stands in the views that embed them.

// OrganisationBody is what an organisation says of itself.
type OrganisationBody struct {
	Slug         string    `json:"slug"`
	Name         string    `json:"naam"`
	Municipality string    `json:"gemeentecode,omitempty"`
	Contacts     []Contact `json:"contacten"`
	Certificates []string  `json:"certificaten,omitempty"` // PEM chains of contract certificates; the hub operator's to change
	Networks     []string  `json:"netwerken,omitempty"`    // CIDR: private networks in which its services may be; the hub operator's
	Reason       string    `json:"toelichting,omitempty"`  // for who approves, where a second person of the hub operator does
}

// PersonBody is a person with the roles at its organisation.
type PersonBody struct {
	Name  string   `json:"naam"`
	Email string   `json:"email,omitempty"`
	Roles []string `json:"rollen"`
}

// StandInBody lets a colleague approve for a time.
type StandInBody struct {
	Person string    `json:"persoon"` // id
	From   time.Time `json:"vanaf"`
	Till   time.Time `json:"tot"`
}

// PersonView is a person of the own organisation.
type PersonView struct {
	ID string `json:"id"`
	PersonBody
	StandIn *StandInBody `json:"vervanging,omitempty"`
}

// KeyBody is a public key with the time in which a client may use it.
type KeyBody struct {
	Public string     `json:"publiek"` // JWK, JWK Set, PEM public key or PEM certificate
	From   *time.Time `json:"vanaf,omitempty"`
	Till   *time.Time `json:"tot,omitempty"`
}

// KeyView is a key as it is registered.
type KeyView struct {
	ID   string          `json:"kid"`
	JWK  json.RawMessage `json:"jwk"`
	From *time.Time      `json:"vanaf,omitempty"`
	Till *time.Time      `json:"tot,omitempty"`
}

// ClientBody is an OAuth client. Its assignments and later keys have requests of their own.
type ClientBody struct {
	Name         string    `json:"naam"`
	Profile      string    `json:"profiel"`   // nlgov or fapi2
	Alg          string    `json:"algoritme"` // RS256, PS256 or ES256
	Keys         []KeyBody `json:"sleutels"`
	JWKSURI      string    `json:"jwksUri,omitempty"`      // https URL that the keys are read from instead, again and again
	Certificates []string  `json:"certificaten,omitempty"` // x5t#S256 or PEM, of TLS certificates it may bind tokens to
	Disabled     bool      `json:"uitgeschakeld,omitempty"`
	AdminScopes  []string  `json:"beheerscopes,omitempty"`
}

// ClientView is a client of the own organisation.
type ClientView struct {
	ID           string           `json:"id"`
	Name         string           `json:"naam"`
	Profile      string           `json:"profiel"`
	Alg          string           `json:"algoritme"`
	Keys         []KeyView        `json:"sleutels"`
	JWKSURI      string           `json:"jwksUri,omitempty"`
	Certificates []string         `json:"certificaten"` // x5t#S256
	Disabled     bool             `json:"uitgeschakeld"`
	AdminScopes  []string         `json:"beheerscopes"`
	Person       string           `json:"persoon,omitempty"`
	Assignments  []AssignmentView `json:"toewijzingen"`
}

// AssignmentView lets a client use a grant under a short name.
type AssignmentView struct {
	Name  string `json:"naam"`
	Grant string `json:"toestemming"` // grant hash
}

// AssignmentBody names the grant.
type AssignmentBody struct {
	Grant string `json:"toestemming"`
}

// APIBody is one base path of a service with its description.
type APIBody struct {
	BasePath string `json:"basispad"`
	OpenAPI  string `json:"openapi"` // the text, YAML or JSON

	Deprecated *time.Time `json:"verouderdSinds,omitempty"`
	Sunset     *time.Time `json:"eindigtOp,omitempty"`
	Successor  string     `json:"opvolger,omitempty"` // base path of the newer version

	Source string `json:"openapiUrl,omitempty"` // https URL to fetch the description from when the text is not given
}

// AssessmentBody names descriptions to assess; nothing is changed by it.
type AssessmentBody struct {
	APIs []APIBody `json:"apis"`
	CAs  string    `json:"ca,omitempty"` // PEM, for descriptions fetched from a server with a CA of its own
}

// AssessmentView is what the hub says of one description.
type AssessmentView struct {
	BasePath   string           `json:"basispad"`
	Faults     []FindingView    `json:"fouten"`      // it is not taken in before these are mended
	Findings   []FindingView    `json:"bevindingen"` // design rules
	Operations []OperationDraft `json:"operaties"`   // as they would be
	Changes    []ChangeView     `json:"wijzigingen"` // against what is there now
}

// FindingView is one finding with its place and how to mend it.
type FindingView struct {
	Rule     string `json:"regel"`
	Severity string `json:"ernst"`
	Pointer  string `json:"plaats"` // JSON pointer into the description
	Line     int    `json:"lijn"`
	Message  string `json:"melding"`
	FixNL    string `json:"herstel,omitempty"`
	FixEN    string `json:"herstelEn,omitempty"`
	Blocking bool   `json:"blokkeert"`
}

// OperationDraft is an operation with what the description left to the hub.
type OperationDraft struct {
	OperationView
	ProposedID    bool     `json:"idVoorgesteld,omitempty"`
	ProposedScope bool     `json:"scopeVoorgesteld,omitempty"`
	Personal      []string `json:"mogelijkPersoonsgegevens,omitempty"` // names that hint at data about people
	Fields        []string `json:"velden,omitempty"`                   // of its answer, to choose from for a contract
}

// ChangeView is one difference for those who use the service.
type ChangeView struct {
	Breaking  bool   `json:"breekt"`
	Operation string `json:"operatie,omitempty"`
	Path      string `json:"pad,omitempty"`
	NL        string `json:"tekst"`
	EN        string `json:"tekstEn"`
}

// EndingView announces the end of a version.
type EndingView struct {
	BasePath   string     `json:"basispad"`
	Deprecated time.Time  `json:"verouderdSinds"`
	Sunset     *time.Time `json:"eindigtOp,omitempty"`
	Successor  string     `json:"opvolger,omitempty"`
}

// ConsumerView is who may use a service, as its owner sees it.
type ConsumerView struct {
	OIN       string    `json:"oin"`
	Name      string    `json:"naam"`
	OnBehalf  string    `json:"namens,omitempty"`
	Contract  string    `json:"afspraak"` // content hash
	Grant     string    `json:"toestemming"`
	Purpose   string    `json:"doel,omitempty"`
	Scopes    []string  `json:"scopes"`
	NotAfter  time.Time `json:"geldigTot"`
	Contacts  []Contact `json:"contacten"`
	Suspended bool      `json:"geschorst,omitempty"`
}

// UpstreamBody says where a service runs.
type UpstreamBody struct {
	Addresses  []string `json:"adressen"`             // https://host:port or consul:name
	CAs        string   `json:"ca,omitempty"`         // PEM
	Timeout    string   `json:"wachttijd,omitempty"`  // to the first byte, e.g. "10s"
	MaxBody    int64    `json:"maxBytes,omitempty"`   // of a request body
	Idempotent []string `json:"idempotent,omitempty"` // operations that may be retried besides GET and HEAD

	Auth     string `json:"aanmelding,omitempty"`    // call-token (default), certificate, header or zgw
	AuthName string `json:"aanmeldnaam,omitempty"`   // name of the header, or client id of ZGW
	Secret   string `json:"aanmeldgeheim,omitempty"` // write-only: never given back; left out, the one that is there stays
}

// ServiceBody is a service as its owner puts it on the hub.
type ServiceBody struct {
	Title     string       `json:"titel"`
	FSCName   string       `json:"fscNaam,omitempty"`
	APIs      []APIBody    `json:"apis"`
	Upstream  UpstreamBody `json:"achterkant"`
	Personal  bool         `json:"persoonsgegevens"`
	Published bool         `json:"gepubliceerd"`
	Public    []string     `json:"openbaar,omitempty"`
	Facts     ServiceFacts `json:"gegevens,omitzero"`
	Reason    string       `json:"toelichting,omitempty"` // for who approves; needed where a second person must
}

// ContractDraft is a contract in the words of people; the hub makes FSC of it.
type ContractDraft struct {
	Name   string       `json:"naam"`
	From   time.Time    `json:"geldigVanaf"`
	Till   time.Time    `json:"geldigTot"`
	Grants []GrantDraft `json:"toestemmingen"`
	// Predecessor is the hash of the contract whose place this one takes. Without grants its grants are taken over.
	Predecessor string `json:"opvolgerVan,omitempty"`
	// Contract is FSC JSON instead of the rest, from a party that made and signed it itself.
	Contract json.RawMessage `json:"contract,omitempty"`
}

// GrantDraft is one service connection of a draft.
type GrantDraft struct {
	Kind               string              `json:"soort,omitempty"` // aansluiting (default), or publicatie: then only provider, namens and dienst count
	Consumer           string              `json:"afnemer"`
	Provider           string              `json:"aanbieder"`
	Delegator          string              `json:"namens,omitempty"`
	Service            string              `json:"dienst"` // name in FSC
	Purpose            string              `json:"doel"`
	LegalBasis         string              `json:"grondslag,omitempty"`
	ProcessingActivity string              `json:"verwerkingsactiviteit,omitempty"`
	Scopes             []string            `json:"scopes"`
	Fields             map[string][]string `json:"velden,omitempty"`
	Binding            string              `json:"binding,omitempty"`
	Rate               int                 `json:"perSeconde,omitempty"`
	Quota              int                 `json:"perDag,omitempty"`
	CacheSeconds       int                 `json:"bewaarSeconden,omitempty"`
	Logging            string              `json:"logging,omitempty"`
	Tariff             string              `json:"tarief,omitempty"`
}

// SignatureBody accepts, rejects or revokes a contract.
type SignatureBody struct {
	Kind string `json:"soort"`         // accept, reject or revoke
	JWS  string `json:"jws,omitempty"` // the organisation's own signature; empty: the hub signs for an organisation it hosts
	// Reason is why it is rejected or revoked; the other parties read it.
	Reason string `json:"reden,omitempty"`
}

// NarrowingBody takes something from a grant, at once.
type NarrowingBody struct {
	Suspended     bool     `json:"geschorst,omitempty"`
	Rate          int      `json:"perSeconde,omitempty"`
	BlockedScopes []string `json:"geblokkeerdeScopes,omitempty"`
	Reason        string   `json:"reden"`
}

// NarrowingView is what one side took from a grant.
type NarrowingView struct {
	Grant string `json:"toestemming"`
	By    string `json:"door"` // OIN
	NarrowingBody
}

// ActivityBody is what the register of an organisation says of a processing activity.
type ActivityBody struct {
	Name         string `json:"naam"`
	Purpose      string `json:"doel"`
	LegalBasis   string `json:"grondslag"`
	Retention    string `json:"bewaartermijn"` // ISO 8601 duration
	Confidential bool   `json:"vertrouwelijk,omitempty"`
}

// ActivityView is one version of it. URI is what contracts and processing logs name.
type ActivityView struct {
	ID      string    `json:"id"`
	Version int       `json:"versie"`
	Since   time.Time `json:"sinds"`
	URI     string    `json:"uri"`
	ActivityBody
}

// ProposalView is a change that waits for a second person of the own organisation.
type ProposalView struct {
	ID       string    `json:"id"`
	Kind     string    `json:"soort"`
	Subject  string    `json:"onderwerp"`
	Proposer string    `json:"indiener"`
	Since    time.Time `json:"sinds"`
	Reason   string    `json:"toelichting"`
}
