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

// Hand signs for the demo organisations, by OIN. It stands for the key custody of a real hub.
type Hand map[string]contract.Signer

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

// Hosts tells whether the key of an organisation is here.
func (h Hand) Hosts(oin string) bool { return h[oin].Key != nil }

// Sign signs in the name of an organisation.
func (h Hand) Sign(_ context.Context, oin, _ string, content *contract.Content, kind contract.SignatureType, at time.Time) (string, error) {
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
