package material

import (
	"crypto"
	"crypto/tls"
	"errors"
	"os"
	"time"

	"noorderhub.nl/hub/libs/contract"
	cases "noorderhub.nl/hub/services/cases/api"
)

// receiptKey makes the key that signs receipts in the name of an organisation, and has the organisation's contract key
// state that it does.
func (m *maker) receiptKey(o Organisation) {
	key := m.key(m.Path("receipts", o.OIN+".pem"))
	file := m.Path("receipts", o.OIN+".jws")
	if m.err != nil {
		return
	}
	if _, err := os.Stat(file); err == nil {
		return
	}
	signer, err := contractSigner(m.Files, o)
	if err != nil {
		m.err = err
		return
	}
	now := time.Now()
	public, err := cases.NewJWK(&key.PublicKey)
	if err != nil {
		m.err = err
		return
	}
	statement, err := cases.SignStatement(signer, cases.NewStatement(o.OIN, public, now, signer.Certificate.NotAfter, now))
	if err != nil {
		m.err = err
		return
	}
	m.write(file, []byte(statement))
}

// contractSigner signs contracts in the name of an organisation.
func contractSigner(f Files, o Organisation) (contract.Signer, error) {
	pair, err := tls.LoadX509KeyPair(f.Path("organisations", o.Slug, "contract.pem"), f.Path("organisations", o.Slug, "contract.key"))
	if err != nil {
		return contract.Signer{}, err
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		return contract.Signer{}, errors.New(o.Slug + ": the contract key cannot sign")
	}
	return contract.Signer{Key: key, Certificate: pair.Leaf}, nil
}
