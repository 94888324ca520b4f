package material

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/services/registry"
)

// SignContracts builds a contract for every entry of the region's terms and signs it in the name of all organisations in
// it. Only the demo does so: everywhere else each organisation signs for itself.
func SignContracts(ctx context.Context, f Files, r *Region, at time.Time) error {
	signers, err := Signers(f, r)
	if err != nil {
		return err
	}
	drafts, err := registry.Drafts(ctx, f.Region(), at)
	if err != nil {
		return err
	}
	for _, d := range drafts {
		if err := signContract(d, signers, at); err != nil {
			return fmt.Errorf("contract %s: %w", d.Name, err)
		}
	}
	return nil
}

// Hand signs for the demo organisations, by OIN: for the contracts of the first start, and for scenarios in which an
// organisation signs for itself.
type Hand map[string]contract.Signer

// Hosted gives the signing keys of all organisations of the region, for the registry to take into custody.
func Hosted(f Files, r *Region) []registry.Hosted {
	var out []registry.Hosted
	for _, o := range r.Organisations {
		folder := func(name string) string { return f.Path("organisations", o.Slug, name) }
		out = append(out, registry.Hosted{OIN: o.OIN, Key: folder("contract.key"), Certificate: folder("contract.pem"), Anchor: f.CA()})
	}
	return out
}

// Signers reads the signing keys of all organisations of the region.
func Signers(f Files, r *Region) (Hand, error) {
	signers := Hand{}
	for _, o := range r.Organisations {
		signer, err := contractSigner(f, o)
		if err != nil {
			return nil, err
		}
		signers[o.OIN] = signer
	}
	return signers, nil
}

// Sign signs in the name of an organisation.
func (h Hand) Sign(oin string, content *contract.Content, kind contract.SignatureType, at time.Time) (string, error) {
	return contract.Sign(h[oin], content, kind, at)
}

func signContract(d registry.Draft, signers map[string]contract.Signer, at time.Time) error {
	content, err := contract.Build(d.Draft)
	if err != nil {
		return err
	}
	signed := contract.Contract{Content: content, Accept: map[string]string{}}
	for _, oin := range content.Signers() {
		if signed.Accept[oin], err = contract.Sign(signers[oin], content, contract.Accept, at); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(&signed, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(d.Path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(d.Path, append(text, '\n'), 0o600)
}
