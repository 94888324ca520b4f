package exchange

import "noorderhub.nl/hub/libs/errs"

// Why a command was refused.
var (
	codeNotFound = &errs.Code{
		ID: "transfer-not-found", Kind: errs.NotFound, Side: errs.SideClient, Title: "No such transfer",
		Next: "Check the id, and use the agreement with the organisation at the other side or that for your own inbox.",
	}
	codeTaken = &errs.Code{
		ID: "transfer-id-taken", Kind: errs.Conflict, Side: errs.SideClient, Title: "The id is of another transfer",
		Next: "Offer under a new UUID.",
	}
	codeContent = &errs.Code{
		ID: "transfer-other-content", Kind: errs.Conflict, Side: errs.SideClient, Title: "The same was sent before with other content",
		Next: "Read the transfer; what was stored cannot be changed. Offer another content under a new UUID.",
	}
	codeKeyUsed = &errs.Code{
		ID: "idempotency-key-reused", Kind: errs.Unprocessable, Side: errs.SideClient, Title: "The Idempotency-Key was used for another request",
		Next: "Make a new key for every command, and send it again only with exactly the same command.",
	}
	codeDisposition = &errs.Code{
		ID: "source-case-open", Kind: errs.Conflict, Side: errs.SideClient, Title: "The case that was handed over is still open at the sender",
		Next: "Give your case an end status that points to the receiver's case, then close the transfer with bronzaak afgesloten.",
	}
	codeState = &errs.Code{
		ID: "transfer-state", Kind: errs.Conflict, Side: errs.SideClient, Title: "Not possible in the current state of the transfer",
		Next: "Do one of the commands in toegestaan, or wait for the other organisation.",
	}
	codeChanged = &errs.Code{
		ID: "transfer-changed", Kind: errs.PreconditionFailed, Side: errs.SideClient, Title: "The transfer has changed since you read it",
		Next: "Read the transfer again and decide anew.",
	}
	codeExpired = &errs.Code{
		ID: "transfer-expired", Kind: errs.Conflict, Side: errs.SideClient, Title: "The deadline of the offer has passed",
		Next: "The sender may offer the case again under a new UUID.",
	}
	codeTurn = &errs.Code{
		ID: "transfer-other-party", Kind: errs.Forbidden, Side: errs.SideClient, Title: "This is for the other organisation to do",
		Next: "Do one of the commands in toegestaan, or wait for the other organisation.",
	}
	codeFrozen = &errs.Code{
		ID: "transfer-frozen", Kind: errs.Forbidden, Side: errs.SideOrganisation, Title: "The agreement of this transfer is not in force",
		Next: "Ask the organisation that suspended or ended the agreement; reading stays possible.",
	}
	codeAgreement = &errs.Code{
		ID: "exchange-agreement", Kind: errs.Forbidden, Side: errs.SideOrganisation, Title: "The agreement does not allow this exchange",
		Next: "Use a token under an agreement on the case exchange: for offering that with the receiver, for your inbox your own.",
	}
	codeSelf = &errs.Code{
		ID: "receiver-self", Kind: errs.Invalid, Side: errs.SideClient, Title: "A case cannot be handed to oneself",
		Next: "Name another organisation in ontvanger.",
	}
	codeReceiver = &errs.Code{
		ID: "receiver-unknown", Kind: errs.Invalid, Side: errs.SideClient, Title: "The receiver is not an organisation of this hub",
		Next: "Take the OIN of the receiver from the agreement.",
	}
	codeOtherReceiver = &errs.Code{
		ID: "receiver-not-agreed", Kind: errs.Forbidden, Side: errs.SideOrganisation, Title: "The agreement is with another receiver",
		Next: "Ask for a token under your agreement with this receiver, or make one.",
	}
	codeDeadline = &errs.Code{
		ID: "deadline-passed", Kind: errs.Invalid, Side: errs.SideClient, Title: "The deadline lies in the past",
		Next: "Give a later vervaltOp, or none.",
	}
	codeDigest = &errs.Code{
		ID: "digest-mismatch", Kind: errs.Invalid, Side: errs.SideClient, Title: "The case is not the one of the manifest",
		Next: "Send exactly the bytes whose SHA-256 and length the offer names; nothing was stored.",
	}
	codeOtherCase = &errs.Code{
		ID: "case-mismatch", Kind: errs.Invalid, Side: errs.SideClient, Title: "The case is another than was offered",
		Next: "Deliver the case with the bronorganisatie and identificatie of the offer, or offer this one under a new UUID.",
	}
	codeNoCase = &errs.Code{
		ID: "case-not-delivered", Kind: errs.Conflict, Side: errs.SideClient, Title: "The case has not been delivered",
		Next: "Wait for the event of its delivery.",
	}
	codeDestroyed = &errs.Code{
		ID: "case-destroyed", Kind: errs.Gone, Side: errs.SideClient, Title: "The hub has destroyed the case",
		Next: "Use the case in your own registry; the receipts of the transfer stay.",
	}
	codeReaders = &errs.Code{
		ID: "case-for-receiver", Kind: errs.Forbidden, Side: errs.SideClient, Title: "The case is for its receiver",
		Next: "The sender has the case in its own registry.",
	}
	codeLogbook = &errs.Code{
		ID: "logbook-unavailable", Kind: errs.Unavailable, Side: errs.SideHub, Title: "The processing log cannot be written",
		Next: "Try again after the time in Retry-After: personal data is not handed out without its record.",
	}
)
