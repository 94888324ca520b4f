package contract

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Certificates finds the certificate a signature was made with.
type Certificates interface {
	// Chain gives the certificates of peer whose leaf has this x5t#S256 thumbprint, leaf first, root left out. It
	// returns an error that wraps ErrNoCertificate when peer has none such.
	Chain(ctx context.Context, peer, thumbprint string) ([]*x509.Certificate, error)
}

// ErrNoCertificate is the cause when a signature names a certificate that its organisation does not have.
var ErrNoCertificate = errors.New("no such certificate of this organisation")

// Verifier checks the signatures of contracts of one group.
type Verifier struct {
	GroupID      string
	Certificates Certificates
	Anchors      *x509.CertPool // trust anchors of the group; the system's are never used
	Now          func() time.Time
}

// clockSkew is how far the clock of another organisation may run ahead.
const clockSkew = time.Minute

// State is derived from signatures and clock, never stored as truth.
type State string

// The states of a contract.
const (
	Proposed State = "PROPOSED" // an accept signature is missing
	Valid    State = "VALID"
	Rejected State = "REJECTED"
	Revoked  State = "REVOKED"
	Expired  State = "EXPIRED" // the window has passed, or the certificate of a signer
)

// Verified is a contract whose signatures were all checked.
type Verified struct {
	*Contract
	Missing   []string  // organisations whose accept signature is missing
	CertsTill time.Time // earliest end of a certificate that an accept signature rests on; zero when there is none
}

// Verify checks every signature of c and gives all faults at once. One false signature spoils the whole contract: it
// cannot come from an honest exchange.
func (v Verifier) Verify(ctx context.Context, c *Contract) (*Verified, error) {
	now := v.Now()
	var faults []error
	if c.Content.GroupID != v.GroupID {
		faults = append(faults, fmt.Errorf("group_id: %q, this group is %q", c.Content.GroupID, v.GroupID))
	}
	if c.Content.CreatedAt.After(now.Add(clockSkew)) {
		faults = append(faults, errors.New("created_at: in the future"))
	}
	out := &Verified{Contract: c}
	for _, kind := range []SignatureType{Accept, Reject, Revoke} {
		signatures := c.signatures(kind)
		for _, peer := range slices.Sorted(maps.Keys(signatures)) {
			till, err := v.verifyOne(ctx, c.Content, kind, peer, signatures[peer], now)
			if err != nil {
				faults = append(faults, fmt.Errorf("signature %s of %s: %w", kind, peer, err))
				continue
			}
			if kind == Accept && (out.CertsTill.IsZero() || till.Before(out.CertsTill)) {
				out.CertsTill = till
			}
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	for _, peer := range c.Content.Signers() {
		if _, signed := c.Accept[peer]; !signed {
			out.Missing = append(out.Missing, peer)
		}
	}
	return out, nil
}

// State gives the state at a moment. A contract whose window has not begun is Valid but not yet InForce.
func (v *Verified) State(at time.Time) State {
	switch {
	case len(v.Revoke) > 0:
		return Revoked
	case len(v.Reject) > 0:
		return Rejected
	case !at.Before(v.Till()):
		return Expired
	case len(v.Missing) > 0:
		return Proposed
	}
	return Valid
}

// InForce tells whether the contract gives rights at a moment.
func (v *Verified) InForce(at time.Time) bool {
	return v.State(at) == Valid && !at.Before(v.Content.NotBefore)
}

// Till is the end of the contract: of its window or of the first certificate that an accept signature rests on.
func (v *Verified) Till() time.Time {
	if !v.CertsTill.IsZero() && v.CertsTill.Before(v.Content.NotAfter) {
		return v.CertsTill
	}
	return v.Content.NotAfter
}

func (c *Contract) signatures(kind SignatureType) map[string]string {
	switch kind {
	case Accept:
		return c.Accept
	case Reject:
		return c.Reject
	}
	return c.Revoke
}

// verifyOne gives the end of the certificate chain that the signature rests on.
func (v Verifier) verifyOne(
	ctx context.Context, content *Content, kind SignatureType, peer, compact string, now time.Time,
) (time.Time, error) {
	if !content.Names(peer) {
		return time.Time{}, errors.New("the organisation is not named in the contract")
	}
	j, err := parseJWS(compact)
	if err != nil {
		return time.Time{}, err
	}
	signedAt, err := checkPayload(j.payload, content.Hash(), kind)
	if err != nil {
		return time.Time{}, err
	}
	if signedAt.After(now.Add(clockSkew)) {
		return time.Time{}, errors.New("signed in the future")
	}
	chain, err := v.Certificates.Chain(ctx, peer, j.thumbprint)
	if err != nil {
		return time.Time{}, err
	}
	till, err := v.checkChain(chain, peer, j.thumbprint, signedAt)
	if err != nil {
		return time.Time{}, err
	}
	return till, j.verify(chain[0])
}

// checkPayload wants exactly the three fields of FSC Core.
func checkPayload(payload []byte, hash string, kind SignatureType) (time.Time, error) {
	canon, err := canonical(payload)
	if err != nil {
		return time.Time{}, fmt.Errorf("payload: %w", err)
	}
	r := newReader(canon)
	r.onlyKeys("contract_content_hash", "type", "signed_at")
	gotHash, gotKind, signedAt := r.text("contract_content_hash"), r.text("type"), r.time("signed_at")
	if gotHash != hash {
		r.fault("contract_content_hash", "is of another content")
	}
	if gotKind != string(kind) {
		r.fault("type", "is not %q", kind)
	}
	if err := r.err(); err != nil {
		return time.Time{}, fmt.Errorf("payload: %w", err)
	}
	return signedAt, nil
}

// checkChain follows the chain as it stood when the signature was made; what expired since then ends the contract by
// State, so that re-signing with a new certificate revives it.
func (v Verifier) checkChain(chain []*x509.Certificate, peer, thumbprint string, at time.Time) (time.Time, error) {
	if len(chain) == 0 {
		return time.Time{}, ErrNoCertificate
	}
	leaf := chain[0]
	if Thumbprint(leaf) != thumbprint {
		return time.Time{}, errors.New("the certificate is not the one that x5t#S256 names")
	}
	if leaf.Subject.SerialNumber != peer {
		return time.Time{}, errors.New("the certificate is of another organisation (subject serial number)")
	}
	if err := CheckKey(leaf.PublicKey); err != nil {
		return time.Time{}, err
	}
	intermediates := x509.NewCertPool()
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
	}
	paths, err := leaf.Verify(x509.VerifyOptions{
		Roots: v.Anchors, Intermediates: intermediates, CurrentTime: at,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("certificate: %w", err)
	}
	return latestEnd(paths), nil
}

// latestEnd gives, over all paths to an anchor, the latest moment until which one of them holds whole.
func latestEnd(paths [][]*x509.Certificate) time.Time {
	var latest time.Time
	for _, path := range paths {
		end := path[0].NotAfter
		for _, c := range path[1:] {
			if c.NotAfter.Before(end) {
				end = c.NotAfter
			}
		}
		if end.After(latest) {
			latest = end
		}
	}
	return latest
}
