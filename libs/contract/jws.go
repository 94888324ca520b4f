package contract

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // registers the hashes of the algorithms below
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// jwsAlgorithm is one of the six that FSC Core allows. For ES* the curve is fixed too (RFC 7518 §3.4).
type jwsAlgorithm struct {
	hash  crypto.Hash
	curve elliptic.Curve // nil: RSASSA-PKCS1-v1_5
}

var jwsAlgorithms = map[string]jwsAlgorithm{
	"RS256": {crypto.SHA256, nil},
	"RS384": {crypto.SHA384, nil},
	"RS512": {crypto.SHA512, nil},
	"ES256": {crypto.SHA256, elliptic.P256()},
	"ES384": {crypto.SHA384, elliptic.P384()},
	"ES512": {crypto.SHA512, elliptic.P521()},
}

const (
	maxJWS     = 8 << 10
	minRSABits = 2048
)

// base64url refuses padding, line ends and non-zero trailing bits, so that one signature has one spelling.
var base64url = base64.RawURLEncoding.Strict()

// jws is a compact signature taken apart, not yet verified.
type jws struct {
	alg          jwsAlgorithm
	thumbprint   string // x5t#S256
	payload      []byte
	signature    []byte
	signingInput string
}

// parseJWS takes a compact JWS (RFC 7515 §7.1) apart and refuses what FSC Core has no use for: other algorithms,
// critical headers, a header without certificate thumbprint.
func parseJWS(compact string) (*jws, error) {
	if len(compact) > maxJWS {
		return nil, fmt.Errorf("signature of %d bytes, at most %d allowed", len(compact), maxJWS)
	}
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return nil, errors.New("not a compact JWS")
	}
	var decoded [3][]byte
	for i, part := range parts {
		if strings.ContainsAny(part, "\r\n") {
			return nil, errors.New("not a compact JWS: line end inside")
		}
		b, err := base64url.DecodeString(part)
		if err != nil {
			return nil, fmt.Errorf("not a compact JWS: %w", err)
		}
		decoded[i] = b
	}
	header, err := canonical(decoded[0])
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	r := newReader(header)
	name, thumb := r.text("alg"), r.text("x5t#S256")
	for _, refused := range []string{"crit", "b64"} {
		if r.has(refused) {
			r.fault(refused, "not allowed")
		}
	}
	alg, ok := jwsAlgorithms[name]
	if !ok {
		r.fault("alg", "not one of RS256, RS384, RS512, ES256, ES384, ES512")
	}
	if err := r.err(); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	return &jws{
		alg: alg, thumbprint: thumb, payload: decoded[1], signature: decoded[2],
		signingInput: parts[0] + "." + parts[1],
	}, nil
}

// verify checks the signature with the key of the certificate.
func (j *jws) verify(cert *x509.Certificate) error {
	digest := j.alg.digest(j.signingInput)
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		if j.alg.curve != nil {
			return errors.New("the algorithm does not suit an RSA key")
		}
		return rsa.VerifyPKCS1v15(key, j.alg.hash, digest, j.signature)
	case *ecdsa.PublicKey:
		if j.alg.curve != key.Curve {
			return errors.New("the algorithm does not suit the curve of the key")
		}
		size := coordinateSize(key.Curve)
		if len(j.signature) != 2*size {
			return errors.New("signature of the wrong length")
		}
		r, s := new(big.Int).SetBytes(j.signature[:size]), new(big.Int).SetBytes(j.signature[size:])
		if !ecdsa.Verify(key, digest, r, s) {
			return errors.New("the signature is not of this key over this content")
		}
		return nil
	}
	return fmt.Errorf("key type %T not allowed", cert.PublicKey)
}

// signJWS signs payload with a key that may live in a token or a cloud HSM: only crypto.Signer is asked of it.
func signJWS(key crypto.Signer, cert *x509.Certificate, payload []byte) (string, error) {
	name, err := algorithmFor(cert.PublicKey)
	if err != nil {
		return "", err
	}
	alg := jwsAlgorithms[name]
	header, err := json.Marshal(map[string]string{"alg": name, "x5t#S256": Thumbprint(cert)})
	if err != nil {
		return "", err
	}
	input := base64url.EncodeToString(header) + "." + base64url.EncodeToString(payload)
	signature, err := key.Sign(rand.Reader, alg.digest(input), alg.hash)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	if alg.curve != nil {
		if signature, err = fixedLength(signature, coordinateSize(alg.curve)); err != nil {
			return "", err
		}
	}
	return input + "." + base64url.EncodeToString(signature), nil
}

func (a jwsAlgorithm) digest(input string) []byte {
	h := a.hash.New()
	_, _ = h.Write([]byte(input)) // never fails (hash.Hash)
	return h.Sum(nil)
}

// algorithmFor gives the algorithm that suits a public key, or why the key is too weak or of a kind FSC has no name for.
func algorithmFor(public crypto.PublicKey) (string, error) {
	switch key := public.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < minRSABits {
			return "", fmt.Errorf("RSA key of %d bits; at least %d, better 3072", key.N.BitLen(), minRSABits)
		}
		return "RS256", nil
	case *ecdsa.PublicKey:
		for name, alg := range jwsAlgorithms {
			if alg.curve == key.Curve {
				return name, nil
			}
		}
		return "", errors.New("EC key on a curve other than P-256, P-384 and P-521")
	}
	return "", fmt.Errorf("key type %T; RSA or EC expected", public)
}

// CheckKey tells why a public key may not sign contracts: RSA below 2048 bits, other curves, other kinds of keys.
func CheckKey(public crypto.PublicKey) error {
	_, err := algorithmFor(public)
	return err
}

func coordinateSize(curve elliptic.Curve) int { return (curve.Params().BitSize + 7) / 8 }

// fixedLength turns the ASN.1 form that crypto.Signer gives into R || S (RFC 7518 §3.4).
func fixedLength(der []byte, size int) ([]byte, error) {
	var rs struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &rs); err != nil || len(rest) > 0 {
		return nil, errors.New("the signer gave no ECDSA signature")
	}
	out := make([]byte, 2*size)
	rs.R.FillBytes(out[:size])
	rs.S.FillBytes(out[size:])
	return out, nil
}
