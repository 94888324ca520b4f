// Package notify tells organisations what happens to what is theirs: an agreement that nears its end, a request that waits,
// a version that goes away. It holds the rules; SQL, mail and webhooks stand beside it.
//
// An act writes an [Event] into the outbox in its own transaction, so there is no act without its event and no event
// without its act. The [Dispatcher] makes a [Delivery] of it for every [Channel] of the organisation that wants it, and sends
// until the other side took it, at least once:
//
//	event ──▶ feed (always there)
//	  └─ fan-out ─▶ delivery: pending ──sent──▶ delivered
//	                            │  ▲
//	                     failed │  │ later, longer each time
//	                            ▼  │
//	                        back-off ──too often──▶ parked ──retry by a person──▶ pending
//	                  muted by a person: muted
//
// So every event ends delivered, parked or muted on each channel, and stands in the feed whatever happens to the rest.
// Events hold no personal data by construction: their facts are numbers, dates, OINs and short names, never text.
package notify
