package audit

import "slices"

// Act is what was done, as kind and verb. The list is closed: whoever searches the log knows what to search for.
type Act string

// The acts.
const (
	OrganisationApply  Act = "organisation.apply"
	OrganisationInvite Act = "organisation.invite"
	OrganisationAdmit  Act = "organisation.admit"
	OrganisationReject Act = "organisation.reject"
	OrganisationAccept Act = "organisation.accept" // terms, processor agreement
	OrganisationPut    Act = "organisation.put"
	OrganisationMerge  Act = "organisation.merge"
	OrganisationRemove Act = "organisation.remove"

	OrganisationPropose Act = "organisation.propose" // a change of it that waits for a second person

	PersonPut    Act = "person.put"
	PersonRemove Act = "person.remove"

	PersonStandIn Act = "person.stand-in"

	ServicePropose   Act = "service.propose"
	ServicePut       Act = "service.put"
	ServicePublish   Act = "service.publish"
	ServiceDeprecate Act = "service.deprecate"
	ServiceRemove    Act = "service.remove"
	ServiceTest      Act = "service.test"

	ContractPropose  Act = "contract.propose"
	ContractAccept   Act = "contract.accept"
	ContractReject   Act = "contract.reject"
	ContractRevoke   Act = "contract.revoke"
	ContractResign   Act = "contract.resign" // the same content with the certificate that follows
	ContractDismiss  Act = "contract.dismiss"
	ContractRemind   Act = "contract.remind"
	TemplatePut      Act = "template.put"
	TemplateRemove   Act = "template.remove"
	OfferPut         Act = "offer.put"
	OfferRemove      Act = "offer.remove"
	OfferSign        Act = "offer.sign"
	OfferRemind      Act = "offer.remind"
	RequestPut       Act = "request.put"
	RequestDecide    Act = "request.decide"
	GrantNarrow      Act = "grant.narrow"
	GrantWiden       Act = "grant.widen"
	ProposalApprove  Act = "proposal.approve"
	ProposalDismiss  Act = "proposal.dismiss"
	PolicyPropose    Act = "policy.propose"
	PolicyPut        Act = "policy.put"
	ActivityPut      Act = "activity.put" // register of processing activities
	ActivityImport   Act = "activity.import"
	ActivityRemove   Act = "activity.remove"
	SubscriptionPut  Act = "subscription.put" // notifications
	SubscriptionTest Act = "subscription.test"
	SubscriptionStop Act = "subscription.remove"

	SubscriptionMute  Act = "subscription.mute"
	SubscriptionRetry Act = "subscription.retry"

	ClientPut       Act = "client.put"
	ClientRemove    Act = "client.remove"
	ClientKeyAdd    Act = "client.key-add"
	ClientKeyRemove Act = "client.key-remove"
	ClientAssign    Act = "client.assign"
	ClientKeysRead  Act = "client.keys-read" // from its jwks_uri
	ClientStop      Act = "client.stop"

	KeyPropose  Act = "key.propose" // of an organisation that the hub signs for, or of the hub
	KeyInstall  Act = "key.install"
	KeyConfirm  Act = "key.confirm"
	KeyImport   Act = "key.import"
	KeyRetire   Act = "key.retire"
	KeyDestroy  Act = "key.destroy"
	KeyReseal   Act = "key.reseal"
	KeysPublish Act = "keys.publish" // public keys of a part

	RegionImport    Act = "region.import"
	RegionRefused   Act = "region.refused"
	SnapshotPublish Act = "snapshot.publish"
	EpochRaise      Act = "epoch.raise"
	TokenRevoke     Act = "token.revoke"
	Bootstrap       Act = "hub.bootstrap"

	LookMetadata  Act = "look.metadata" // the hub operator looks at what belongs to others
	RightsExport  Act = "rights.export"
	ExportMade    Act = "export.make"
	AuditExport   Act = "audit.export"
	AuditVerify   Act = "audit.verify"
	AuditPurge    Act = "audit.purge"
	RetentionPut  Act = "retention.put"
	RetentionPlan Act = "retention.propose"
)

// Acts gives all acts, in alphabetical order.
func Acts() []Act {
	all := []Act{
		OrganisationApply, OrganisationInvite, OrganisationAdmit, OrganisationReject, OrganisationAccept, OrganisationPut,
		OrganisationMerge, OrganisationPropose, OrganisationRemove, PersonPut, PersonRemove, PersonStandIn, OfferSign, OfferRemind, ServicePropose, ServicePut, ServicePublish,
		ServiceDeprecate, ServiceRemove, ServiceTest, ContractPropose, ContractAccept, ContractReject, ContractRevoke,
		ContractResign, ContractDismiss, ContractRemind, TemplatePut, TemplateRemove, OfferPut, OfferRemove, RequestPut,
		RequestDecide, GrantNarrow, GrantWiden, ProposalApprove, ProposalDismiss, PolicyPropose, PolicyPut, ActivityPut,
		ActivityImport, ActivityRemove, SubscriptionPut, SubscriptionTest, SubscriptionStop, SubscriptionMute, SubscriptionRetry, ClientPut, ClientRemove,
		ClientKeyAdd, ClientKeyRemove, ClientAssign, ClientKeysRead, ClientStop, KeyPropose, KeyInstall, KeyConfirm, KeyImport, KeyRetire,
		KeyDestroy, KeyReseal, KeysPublish, RegionImport, RegionRefused, SnapshotPublish, EpochRaise, TokenRevoke, Bootstrap,
		LookMetadata, RightsExport, ExportMade, AuditExport, AuditVerify, AuditPurge, RetentionPut, RetentionPlan,
	}
	slices.Sort(all)
	return all
}
