// Package contract holds agreements between organisations as contracts of FSC Core 2.0.0: immutable JSON content, hashed
// (JCS, RFC 8785, and SHA3-512) and signed by every organisation in it (JWS). It parses, builds, signs and verifies them,
// derives their state with a clock, and reads the hub's own terms from the properties of a grant.
//
// What is hashed is always the content as it was received, never a struct marshalled anew: fields that this package does
// not know are part of the agreement too.
package contract
