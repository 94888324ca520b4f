package api

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	_ "crypto/sha512" // registers SHA-384 and SHA-512 for contract keys on larger curves
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// maxJWS bounds a statement or a receipt in bytes.
const maxJWS = 32 << 10

// base64url has one spelling per value.
var base64url = base64.RawURLEncoding.Strict()

// JWK is a public P-256 key (RFC 7518 §6.2.1).
type JWK struct {
	KeyType string `json:"kty"`
	Curve   string `json:"crv"`
	X       string `json:"x"`
	Y       string `json:"y"`
}

// coordinate is the length of x and of y on P-256, in bytes.
const coordinate = 32

// NewJWK gives the JWK of a public key.
func NewJWK(key *ecdsa.PublicKey) (JWK, error) {
	if key == nil || key.Curve != elliptic.P256() {
		return JWK{}, errors.New("receipt key is not on P-256")
	}
	point, err := key.Bytes()
	if err != nil {
		return JWK{}, fmt.Errorf("receipt key: %w", err)
	}
	return JWK{
		KeyType: "EC", Curve: "P-256",
		X: base64url.EncodeToString(point[1 : 1+coordinate]), Y: base64url.EncodeToString(point[1+coordinate:]),
	}, nil
}

// PublicKey gives the key itself, if the JWK is one on P-256.
func (j JWK) PublicKey() (*ecdsa.PublicKey, error) {
	if j.KeyType != "EC" || j.Curve != "P-256" {
		return nil, errors.New("jwk is not a P-256 key")
	}
	x, errX := base64url.DecodeString(j.X)
	y, errY := base64url.DecodeString(j.Y)
	if errX != nil || errY != nil || len(x) != coordinate || len(y) != coordinate {
		return nil, errors.New("jwk has malformed coordinates")
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
	if err != nil {
		return nil, errors.New("jwk is not a point of P-256")
	}
	return key, nil
}

// KeyID is the thumbprint of the key (RFC 7638), the kid of its receipts.
func (j JWK) KeyID() string {
	sum := sha256.Sum256([]byte(`{"crv":"` + j.Curve + `","kty":"` + j.KeyType + `","x":"` + j.X + `","y":"` + j.Y + `"}`))
	return base64url.EncodeToString(sum[:])
}

// header holds the members of a JOSE header that this package reads (RFC 7515 §4.1).
type header struct {
	Alg        string   `json:"alg"`
	Type       string   `json:"typ"`
	KeyID      string   `json:"kid,omitempty"`
	Chain      []string `json:"x5c,omitempty"`
	Thumbprint string   `json:"x5t#S256,omitempty"`
	Critical   any      `json:"crit,omitempty"`
	Unencoded  any      `json:"b64,omitempty"`
}

// message is a compact JWS taken apart. Nothing in it is to be believed before verify.
type message struct {
	header    header
	payload   []byte
	input     string
	signature []byte
}

// parse takes a compact JWS of one type apart.
func parse(compact, kind string) (*message, error) {
	if len(compact) > maxJWS {
		return nil, fmt.Errorf("longer than %d bytes", maxJWS)
	}
	parts := strings.Split(compact, ".")
	if len(parts) != 3 || strings.ContainsAny(compact, "\r\n") {
		return nil, errors.New("not a compact JWS")
	}
	var decoded [3][]byte
	for i, part := range parts {
		b, err := base64url.DecodeString(part)
		if err != nil {
			return nil, errors.New("not a compact JWS")
		}
		decoded[i] = b
	}
	m := &message{payload: decoded[1], signature: decoded[2], input: parts[0] + "." + parts[1]}
	if err := json.Unmarshal(decoded[0], &m.header); err != nil {
		return nil, errors.New("header is not a JSON object")
	}
	if m.header.Critical != nil || m.header.Unencoded != nil {
		return nil, errors.New("header has an extension that is not supported")
	}
	if m.header.Type != kind {
		return nil, fmt.Errorf("header typ is not %q", kind)
	}
	return m, nil
}

// algorithms by name; the curve is fixed for ES* (RFC 7518 §3.4). The same as those of contracts.
var algorithms = map[string]struct {
	hash  crypto.Hash
	curve elliptic.Curve
}{
	"RS256": {crypto.SHA256, nil},
	"RS384": {crypto.SHA384, nil},
	"RS512": {crypto.SHA512, nil},
	"ES256": {crypto.SHA256, elliptic.P256()},
	"ES384": {crypto.SHA384, elliptic.P384()},
	"ES512": {crypto.SHA512, elliptic.P521()},
}

func algorithmFor(public crypto.PublicKey) (string, error) {
	switch key := public.(type) {
	case *rsa.PublicKey:
		return "RS256", nil
	case *ecdsa.PublicKey:
		for name, alg := range algorithms {
			if alg.curve == key.Curve {
				return name, nil
			}
		}
	}
	return "", fmt.Errorf("keys of type %T cannot sign", public)
}

var errSignature = errors.New("the signature does not verify")

// verify checks the signature with a key, which must suit the algorithm of the header.
func (m *message) verify(public crypto.PublicKey) error {
	alg, ok := algorithms[m.header.Alg]
	if !ok {
		return errors.New("header alg is not supported")
	}
	digest := sum(alg.hash, m.input)
	switch key := public.(type) {
	case *rsa.PublicKey:
		if alg.curve == nil && rsa.VerifyPKCS1v15(key, alg.hash, digest, m.signature) == nil {
			return nil
		}
	case *ecdsa.PublicKey:
		if alg.curve != key.Curve {
			return errSignature
		}
		size := (key.Curve.Params().BitSize + 7) / 8
		if len(m.signature) != 2*size {
			return errSignature
		}
		r, s := new(big.Int).SetBytes(m.signature[:size]), new(big.Int).SetBytes(m.signature[size:])
		if ecdsa.Verify(key, digest, r, s) {
			return nil
		}
	}
	return errSignature
}

// sign makes a compact JWS. The key may live elsewhere: only its Sign is used.
func sign(key crypto.Signer, h header, payload any) (string, error) {
	alg := algorithms[h.Alg]
	head, err := json.Marshal(h)
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return "", err
	}
	input := base64url.EncodeToString(head) + "." + base64url.EncodeToString(body)
	signature, err := key.Sign(rand.Reader, sum(alg.hash, input), alg.hash)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	if alg.curve != nil {
		var rs struct{ R, S *big.Int } // crypto.Signer gives DER, JOSE wants both numbers at full length
		if _, err := asn1.Unmarshal(signature, &rs); err != nil {
			return "", errors.New("the signer gave no ECDSA signature")
		}
		size := (alg.curve.Params().BitSize + 7) / 8
		signature = make([]byte, 2*size)
		rs.R.FillBytes(signature[:size])
		rs.S.FillBytes(signature[size:])
	}
	return input + "." + base64url.EncodeToString(signature), nil
}

func sum(hash crypto.Hash, input string) []byte {
	h := hash.New()
	_, _ = h.Write([]byte(input)) // never fails (hash.Hash)
	return h.Sum(nil)
}
