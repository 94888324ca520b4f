// Package merkle makes a log of records tamper-evident: an append-only Merkle tree (RFC 6962 §2.1, RFC 9162 §2.1) whose
// leaves are salted hashes of the records, with proofs, and with checkpoints that are signed notes (C2SP tlog-checkpoint).
//
// A record and its salt may be removed once their time is over: the leaf stays, and says nothing about what was there. All
// that was ever proved of the others stays provable. Who recomputes a tree names what was removed as ranges (Replay).
//
// The tree hashes themselves are golang.org/x/mod/sumdb/tlog's, which is compatible with Certificate Transparency; what is
// added here is what a log in a database needs: a Frontier to append with, nodes by position to store, and a context.
package merkle
