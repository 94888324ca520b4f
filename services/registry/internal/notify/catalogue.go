package notify

import (
	"maps"
	"slices"
)

// Type is what kind of thing happened: the closed list that people subscribe to and mute.
type Type string

// The types of events.
const (
	ContractOffered    Type = "contract.offered"    // waits for the organisation's signature
	ContractReminder   Type = "contract.reminder"   // still waits
	ContractSigned     Type = "contract.signed"     // by another party
	ContractInForce    Type = "contract.in-force"   // all have signed
	ContractRejected   Type = "contract.rejected"   // by another party
	ContractTerminated Type = "contract.terminated" // by any party
	ContractNarrowed   Type = "contract.narrowed"
	ContractRestored   Type = "contract.restored" // a narrowing was lifted
	ContractExpires    Type = "contract.expires"  // 90, 45, 30, 7 and 1 days before
	ContractExpired    Type = "contract.expired"

	AccessRequested  Type = "access.requested"
	AccessRejected   Type = "access.rejected"
	MandateRequested Type = "mandate.requested" // a supplier asks on behalf of the organisation
	MandateStopped   Type = "mandate.stopped"

	ClientRegistered Type = "client.registered"
	ClientRevoked    Type = "client.revoked"
	KeyAdded         Type = "key.added"
	KeyExpires       Type = "key.expires"
	KeyRevoked       Type = "key.revoked"

	CertificateExpires Type = "certificate.expires"
	CertificateRenewed Type = "certificate.renewed" // contracts were signed again with a new one

	ServicePublished  Type = "service.published"
	ServiceChanged    Type = "service.changed" // in a way that consumers must know
	ServiceDeprecated Type = "service.deprecated"
	ServiceRetired    Type = "service.retired"
	ServiceFindings   Type = "service.findings" // of the design rules, with the date by which to mend them

	ApprovalRequested Type = "approval.requested"
	ApprovalGiven     Type = "approval.given"
	ApprovalRefused   Type = "approval.refused"

	OrganisationStep      Type = "organisation.step" // a step of joining waits for the organisation
	OrganisationAdmitted  Type = "organisation.admitted"
	OrganisationSuspended Type = "organisation.suspended"

	ChannelEnded Type = "channel.ended" // the receiver of a webhook said that it is gone
	ChannelTest  Type = "channel.test"  // somebody pressed the button; never in the feed
)

// kind says what events of a type are about and which facts they have.
type kind struct {
	subject SubjectKind
	facts   []Fact
}

var catalogue = map[Type]kind{
	ContractOffered:    {Contract, []Fact{Counterparty}},
	ContractReminder:   {Contract, []Fact{Counterparty, Since}},
	ContractSigned:     {Contract, []Fact{Counterparty}},
	ContractInForce:    {Contract, []Fact{Counterparty}},
	ContractRejected:   {Contract, []Fact{Counterparty}},
	ContractTerminated: {Contract, []Fact{Counterparty}},
	ContractNarrowed:   {Contract, []Fact{Counterparty}},
	ContractRestored:   {Contract, []Fact{Counterparty}},
	ContractExpires:    {Contract, []Fact{Counterparty, Days, EndDate}},
	ContractExpired:    {Contract, []Fact{Counterparty, EndDate}},

	AccessRequested:  {Contract, []Fact{Counterparty, ServiceSlug}},
	AccessRejected:   {Contract, []Fact{Counterparty, ServiceSlug}},
	MandateRequested: {Contract, []Fact{Supplier, Provider, ServiceSlug}},
	MandateStopped:   {Contract, []Fact{Supplier}},

	ClientRegistered: {Client, nil},
	ClientRevoked:    {Client, nil},
	KeyAdded:         {Client, nil},
	KeyExpires:       {Client, []Fact{Days, EndDate}},
	KeyRevoked:       {Client, nil},

	CertificateExpires: {Organisation, []Fact{Days, EndDate}},
	CertificateRenewed: {Organisation, []Fact{Count, EndDate}},

	ServicePublished:  {Service, []Fact{Provider}},
	ServiceChanged:    {Service, []Fact{Provider, APIVersion}},
	ServiceDeprecated: {Service, []Fact{Provider, APIVersion, EndDate}},
	ServiceRetired:    {Service, []Fact{Provider, APIVersion}},
	ServiceFindings:   {Service, []Fact{Count, EndDate}},

	ApprovalRequested: {Proposal, nil},
	ApprovalGiven:     {Proposal, nil},
	ApprovalRefused:   {Proposal, nil},

	OrganisationStep:      {Organisation, []Fact{StepName, Since}},
	OrganisationAdmitted:  {Organisation, nil},
	OrganisationSuspended: {Organisation, nil},

	ChannelEnded: {ChannelKind, nil},
	ChannelTest:  {ChannelKind, nil},
}

// Types lists all types by name.
func Types() []Type { return slices.Sorted(maps.Keys(catalogue)) }

// Known tells whether t is one of the types.
func (t Type) Known() bool { _, ok := catalogue[t]; return ok }

// Facts lists the facts of a type's events.
func (t Type) Facts() []Fact { return slices.Clone(catalogue[t].facts) }

// Subject is what events of the type are about.
func (t Type) Subject() SubjectKind { return catalogue[t].subject }
