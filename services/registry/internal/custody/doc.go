// Package custody keeps the signing keys of the organisations that the hub hosts, and the hub's own. A key is made here,
// certified by an authority, confirmed by a second person, used, followed by another, and destroyed; its public half stays,
// for signatures outlive keys.
//
// Private keys lie encrypted in the database, under an envelope key that is not in it. They are opened for one signature at
// a time and no function gives one out. What an organisation's key signs are contracts (libs/contract) and statements that
// are signed like them; who asked for a signature is for the audit log to say.
package custody
