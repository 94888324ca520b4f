// Package audit is the record of every administrative act on the hub: who did what to what, when, from where, on whose
// authority and with which result (BIO2 8.15.01). Records are the leaves of a Merkle tree with signed checkpoints, so a
// record that was changed or taken away shows, and what was removed because its time was over is named.
//
// An act and its record are one transaction: Append writes through a Store that works inside the caller's. Records hold ids
// and hashes, no secrets (BIO2 8.15.02) and no data of citizens.
package audit
