// Package directory is what the registry administers: organisations, people, clients, shared services and the contracts
// between them, as one immutable State, and the rules that every change of it keeps. From a State the snapshot of the data
// plane is compiled. Where entities come from, a region file or the administration API, makes no difference here.
package directory
