package notify

import "noorderhub.nl/hub/libs/errs"

// What the administration of notifications refuses.
var (
	codeChannel = &errs.Code{
		ID: "notification-channel-invalid", Kind: errs.Invalid, Side: errs.SideClient, Title: "The channel is not right",
		Next: "Mend the fields named in invalidParams and send the channel again.",
	}
	codeMute = &errs.Code{
		ID: "notification-mute-invalid", Kind: errs.Invalid, Side: errs.SideClient, Title: "The mute is not right",
		Next: "Mend the fields named in invalidParams and send it again.",
	}
	codeTestSoon = &errs.Code{
		ID: "notification-test-limit", Kind: errs.TooMany, Side: errs.SideClient, Title: "The channel was tested just now",
		Next: "Look at the result of the last test, or test again after the time in Retry-After.",
	}

	// CodeUnknown is for what is not there, or not of the organisation.
	CodeUnknown = &errs.Code{
		ID: "notification-not-found", Kind: errs.NotFound, Side: errs.SideClient, Title: "No such channel, mute or delivery",
		Next: "List those of your organisation and take the id from there.",
	}
	// CodeFull is for an organisation that has as many channels or mutes as it may.
	CodeFull = &errs.Code{
		ID: "notification-limit", Kind: errs.Conflict, Side: errs.SideClient, Title: "Your organisation has as many as it may have",
		Next: "Remove one that is not used any more.",
	}
	// CodeChanged is for a channel that somebody else changed meanwhile.
	CodeChanged = &errs.Code{
		ID: "notification-changed", Kind: errs.PreconditionFailed, Side: errs.SideClient, Title: "The channel has changed since you read it",
		Next: "Read the channel again and decide anew.",
	}
	// CodeEnded is for a retry on a channel that is not in use.
	CodeEnded = &errs.Code{
		ID: "notification-channel-ended", Kind: errs.Conflict, Side: errs.SideClient, Title: "The channel is not in use any more",
		Next: "Give the channel an address that works, then retry.",
	}
	// CodeCursor is for a reader of the feed that must begin anew.
	CodeCursor = &errs.Code{
		ID: "notification-cursor", Kind: errs.Gone, Side: errs.SideHub, Title: "The feed does not reach back to this cursor",
		Next: "Read the feed from the beginning: leave na out. Events you know already have the same id.",
	}
)
