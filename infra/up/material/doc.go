// Package material makes what a hub consists of besides programs: authorities, certificates, keys and secrets, and for a
// demo hub also the region file and the contracts, signed in the name of its organisations. The all-in-one, infra/pki and
// infra/stack make theirs here. What exists is never overwritten: contracts are signed with these keys, and secrets
// decrypt what is stored.
package material
