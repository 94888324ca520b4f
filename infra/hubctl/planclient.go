package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	registry "noorderhub.nl/hub/services/registry/api"
)

// body reads what the declaration of a client names.
func (f *clientFile) body(dir string) (registry.ClientBody, error) {
	b := registry.ClientBody{Name: f.Name, Profile: f.Profile, Alg: f.Alg, Disabled: f.Disabled, AdminScopes: f.AdminScopes, JWKSURI: f.JWKSURI}
	for _, k := range f.Keys {
		text, err := beside(dir, k.File)
		if err != nil {
			return b, err
		}
		b.Keys = append(b.Keys, registry.KeyBody{Public: text, From: k.From, Till: k.Until})
	}
	for _, given := range f.Certificates {
		if text, err := os.ReadFile(filepath.Join(dir, given)); err == nil {
			given = string(text)
		}
		b.Certificates = append(b.Certificates, given)
	}
	return b, nil
}

// differs tells what is other at the hub. Keys are compared by what they are, not by how the file writes them.
func (f *clientFile) differs(want registry.ClientBody, was registry.ClientView, p *present) (note string, other bool) {
	var what []string
	add := func(name string, is bool) {
		if is {
			what = append(what, name)
		}
	}
	add("name", want.Name != was.Name)
	add("profile", want.Profile != was.Profile || want.Alg != was.Alg)
	add("disabled", want.Disabled != was.Disabled)
	add("adminScopes", !slices.Equal(want.AdminScopes, was.AdminScopes))
	add("certificates", !slices.Equal(want.Certificates, was.Certificates) && len(want.Certificates)+len(was.Certificates) > 0)
	var declared, registered []string
	for _, k := range want.Keys {
		declared = append(declared, fingerprints(k.Public, k.From, k.Till)...)
	}
	for _, k := range was.Keys {
		registered = append(registered, fingerprints(string(k.JWK), k.From, k.Till)...)
	}
	add("keys", want.JWKSURI != was.JWKSURI || want.JWKSURI == "" && !slices.Equal(declared, registered))
	uses := map[string]string{}
	for _, a := range was.Assignments {
		uses[a.Name] = p.contractName(a.Grant)
	}
	add("uses", !maps.Equal(uses, f.Uses))
	return strings.Join(what, ", "), len(what) > 0
}

// fingerprints tell the keys of a text and their times, however the text writes them. What cannot be read is told as it is:
// the hub will say what is wrong with it.
func fingerprints(text string, from, till *time.Time) []string {
	var keys []jose.JSONWebKey
	block, _ := pem.Decode([]byte(text))
	var set jose.JSONWebKeySet
	var one jose.JSONWebKey
	switch {
	case block != nil && block.Type == "CERTIFICATE":
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil {
			keys = []jose.JSONWebKey{{Key: cert.PublicKey}}
		}
	case block != nil:
		if key, err := x509.ParsePKIXPublicKey(block.Bytes); err == nil {
			keys = []jose.JSONWebKey{{Key: key}}
		}
	case json.Unmarshal([]byte(text), &set) == nil && len(set.Keys) > 0:
		keys = set.Keys
	case json.Unmarshal([]byte(text), &one) == nil:
		keys = []jose.JSONWebKey{one}
	}
	if len(keys) == 0 {
		return []string{text}
	}
	out := make([]string, len(keys))
	for i, k := range keys {
		sum, err := k.Thumbprint(crypto.SHA256)
		if err != nil {
			return []string{text}
		}
		out[i] = fmt.Sprintf("%x %s %s", sum, moments(from), moments(till))
	}
	return out
}

func moments(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

// putClient puts the client and then what it uses: a contract that is not there yet is told, and the rest is done.
func (o *office) putClient(ctx context.Context, id string, f clientFile, body registry.ClientBody, was registry.ClientView) error {
	if err := o.put(ctx, "/clients/"+id, body); err != nil {
		return err
	}
	path := "/clients/" + id + "/toewijzingen/"
	for _, a := range was.Assignments {
		if _, still := f.Uses[a.Name]; !still {
			if _, err := o.api.Do(ctx, http.MethodDelete, path+a.Name, "", nil, nil); err != nil {
				return err
			}
		}
	}
	for _, name := range sorted(f.Uses) {
		err := o.grants(ctx, f.Uses[name], func(grant string) error {
			_, err := o.api.Do(ctx, http.MethodPut, path+name, "", registry.AssignmentBody{Grant: grant}, nil)
			return err
		})
		if err != nil {
			return fmt.Errorf("uses %s: %w", name, err)
		}
	}
	return nil
}
