package token

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"strings"

	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/authserver/internal/oauth"
)

// gateway is the only part whose Client-Cert header is believed: it verified the certificate on the outside connection and
// cuts the header from outside requests.
const gateway = "gateway"

// certificate gives the thumbprint (x5t#S256) of the client certificate the gateway saw, from the header Client-Cert (RFC
// 9440 §2.2: a structured-field byte sequence with the DER); "" when there was none.
func certificate(r *http.Request) (string, error) {
	values := r.Header.Values("Client-Cert")
	if len(values) == 0 || workload.Peer(r) != gateway {
		return "", nil
	}
	inner, begins := strings.CutPrefix(values[0], ":")
	inner, ends := strings.CutSuffix(inner, ":")
	der, err := base64.StdEncoding.DecodeString(inner)
	if len(values) > 1 || !begins || !ends || err != nil {
		return "", oauth.Refuse(oauth.InvalidRequest, codeClientCert.New("the header Client-Cert is not one byte sequence"))
	}
	if _, err := x509.ParseCertificate(der); err != nil {
		return "", oauth.Refuse(oauth.InvalidRequest, codeClientCert.Wrap(err, "the header Client-Cert holds no certificate"))
	}
	sum := sha256.Sum256(der)
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}
