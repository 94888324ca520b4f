package material

import (
	"path/filepath"
	"strings"

	"noorderhub.nl/hub/libs/workload"
)

// Files are the paths in a folder of what parts and people need to prove who they are.
type Files struct{ Dir string }

// Path joins elements below the folder.
func (f Files) Path(elements ...string) string {
	return filepath.Join(append([]string{f.Dir}, elements...)...)
}

// CA is the anchor of what people and organisations see: the outside listener, clients, signing certificates.
func (f Files) CA() string { return f.Path("pki", "ca.pem") }

// SnapshotKey signs the registry's snapshots.
func (f Files) SnapshotKey() string { return f.Path("registry", "snapshot.key") }

// SnapshotPub is its public half, which the followers pin.
func (f Files) SnapshotPub() string { return f.Path("registry", "snapshot.pub.pem") }

// Secret is a file with 32 random bytes in base64: "envelope" of the authorization server, "pseudonyms" of the journal,
// "answers" of the gateways together, "custody" of the registry.
func (f Files) Secret(name string) string { return f.Path("secrets", name) }

// Pair are the files of a certificate in the folder pki: a part's name, or Outside.
func (f Files) Pair(name string) workload.Files {
	return workload.Files{Cert: f.Path("pki", name+".pem"), Key: f.Path("pki", name+".key"), CA: f.Path("pki", name+".ca.pem")}
}

// ClientKey is the private half of a client's key, beside the JWK that the region file names.
func (f Files) ClientKey(c Client) string {
	return f.Path(strings.TrimSuffix(c.Keys[0], ".jwk") + ".key")
}

// Receipts is the folder with the key of every organisation that signs receipts, and the organisation's statement about it.
func (f Files) Receipts() string { return f.Path("receipts") }

// Region is the region file.
func (f Files) Region() string { return f.Path("region.yaml") }

// Outside is the name of the outside listener's certificate.
const Outside = "outside"

// Parts have a workload certificate.
func Parts() []string {
	return []string{"gateway", "registry", "authserver", "journal", "address", "cases", "portal", "hubctl"}
}
