package region

import (
	"cmp"
	"context"
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/services/registry/api"
)

// Chain gives the certificate chain that a signature names; it makes the region a source of contract.Verifier.
func (l *loader) Chain(_ context.Context, peer, thumbprint string) ([]*x509.Certificate, error) {
	for _, chain := range l.certificates[peer] {
		if contract.Thumbprint(chain[0]) == thumbprint {
			return chain, nil
		}
	}
	return nil, contract.ErrNoCertificate
}

func (l *loader) loadContracts(ctx context.Context) ([]Agreed, []api.Grant) {
	grants := []api.Grant{}
	if l.file.Contracts.Directory == "" {
		return nil, grants
	}
	l.touch(l.path(l.file.Contracts.Directory))
	entries, err := os.ReadDir(l.path(l.file.Contracts.Directory))
	if err != nil {
		l.faults.at("contracts").add("%s", err)
		return nil, grants
	}
	verifier := contract.Verifier{
		GroupID: l.file.Hub.GroupID, Certificates: l, Anchors: l.anchors, Now: func() time.Time { return l.now },
	}
	var agreed []Agreed
	hashes, ivs := map[string]string{}, map[string]string{}
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), ".json")
		if !ok || strings.HasPrefix(name, ".") {
			continue
		}
		f := l.faults.in(filepath.Join(l.file.Contracts.Directory, entry.Name()))
		v := l.contract(ctx, verifier, entry.Name(), f)
		if v == nil {
			continue
		}
		if other, twice := hashes[v.Content.Hash()]; twice {
			f.add("is the same contract as %s.json", other)
		} else if other, twice := ivs[v.Content.IV]; twice {
			f.add("has the same iv as %s.json", other)
		}
		hashes[v.Content.Hash()], ivs[v.Content.IV] = name, name
		l.contracts[name] = v
		agreed = append(agreed, Agreed{Name: name, Verified: v})
		if !l.over(v) {
			grants = append(grants, l.grants(v, f)...)
		}
	}
	slices.SortFunc(grants, func(a, b api.Grant) int { return cmp.Compare(a.Hash, b.Hash) })
	return agreed, grants
}

func (l *loader) contract(ctx context.Context, verifier contract.Verifier, file string, f faults) *contract.Verified {
	text, ok := l.read(filepath.Join(l.file.Contracts.Directory, file), f)
	if !ok {
		return nil
	}
	c, err := contract.Parse(text)
	if err != nil {
		f.join(err)
		return nil
	}
	for _, peer := range c.Content.Signers() {
		if _, known := l.byOIN[peer]; !known {
			f.add("organisation %s is not in this region", peer)
		}
	}
	v, err := verifier.Verify(ctx, c)
	if err != nil {
		f.join(err)
		return nil
	}
	switch v.State(l.now) {
	case contract.Proposed:
		f.add("signature missing: accept of %s", strings.Join(v.Missing, ", "))
	case contract.Expired:
		if l.over(v) {
			break
		}
		f.add("expired on %s; move the file away or sign a successor", v.Till().Format(time.RFC3339))
	}
	return v
}

// over tells that a contract gives nothing any more and is held against nobody: it was rejected or revoked, or it was in
// force and has expired since.
func (l *loader) over(v *contract.Verified) bool {
	switch v.State(l.now) {
	case contract.Rejected, contract.Revoked:
		return true
	case contract.Expired:
		return slices.Contains(l.inForce, v.Content.Hash())
	}
	return false
}

// grants compiles the connection grants of a contract that is not over. Publication grants give no access.
func (l *loader) grants(v *contract.Verified, f faults) []api.Grant {
	var out []api.Grant
	for i, g := range v.Content.Grants {
		if g.Type != contract.ServiceConnection && g.Type != contract.DelegatedServiceConnection {
			continue
		}
		gf := f.at("grants[%d]", i)
		service := l.serviceOf(g)
		if service == nil {
			gf.add("there is no service %s of %s", g.Service.Name, g.Service.PeerID)
			continue
		}
		terms, err := g.Terms.CompleteFor(service.Personal)
		gf.join(err)
		l.checkGrant(g, service, gf)
		out = append(out, api.Grant{
			Hash: g.Hash, ContractHash: v.Content.Hash(), Service: service.Slug,
			Consumer: g.Outway.PeerID, Provider: g.Service.PeerID, Delegator: g.Delegator,
			Outway:    api.Outway{DomainName: g.Outway.DomainName, PublicKeyThumbprint: g.Outway.PublicKeyThumbprint},
			NotBefore: v.Content.NotBefore, NotAfter: v.Till().UTC(), Terms: wireTerms(terms),
		})
	}
	return out
}

func (l *loader) serviceOf(g contract.Grant) *api.Service {
	for _, s := range l.services {
		if s.FSCName == g.Service.Name && (s.Owner == g.Service.PeerID || s.PerOrganisation) {
			return s
		}
	}
	return nil
}

func (l *loader) checkGrant(g contract.Grant, service *api.Service, f faults) {
	if g.Outway.PublicKeyThumbprint != "" {
		f.add("outways identified by key thumbprint are not supported yet")
	} else if name := g.Outway.DomainName; name != l.file.Hub.Gateway {
		f.add("outway %s is not the gateway %s of this hub", name, l.file.Hub.Gateway)
	}
	if g.Service.Delegator != "" {
		f.add("service %s is not published on behalf of another organisation", service.Slug)
	}
	checkOffer(g.Terms, service, f)
}

// checkOffer refuses terms that the service or this version of the hub cannot keep.
func checkOffer(t contract.Terms, service *api.Service, f faults) {
	for _, scope := range t.Scopes {
		if !slices.ContainsFunc(service.Operations, func(o api.Operation) bool { return o.Scope == scope }) {
			f.add("no operation of %s asks scope %s", service.Slug, scope)
		}
	}
	if len(t.Fields) > 0 {
		f.add("fields cannot be enforced by this version of the hub")
	}
}

func wireTerms(t contract.Terms) api.Terms {
	return api.Terms{
		Purpose: t.Purpose, LegalBasis: t.LegalBasis, ProcessingActivity: t.ProcessingActivity,
		Scopes: slices.Sorted(slices.Values(t.Scopes)), Binding: t.Binding, Rate: t.Rate, Quota: t.Quota,
		CacheSeconds: t.CacheSeconds, Logging: t.Logging, Tariff: t.Tariff,
	}
}
