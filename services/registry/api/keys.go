package api

import "time"

// HostedKeyView is a signing key that the hub keeps for an organisation. Its private half is in no answer of any API.
type HostedKeyView struct {
	ID          string    `json:"id"` // SHA-256 of the public key, hex
	State       string    `json:"toestand"`
	Algorithm   string    `json:"algoritme"`
	PublicKey   string    `json:"publiekeSleutel"`       // PEM
	Certificate string    `json:"certificaat,omitempty"` // PEM chain, leaf first; absent: none yet
	Thumbprint  string    `json:"vingerafdruk,omitempty"`
	NotAfter    time.Time `json:"geldigTot,omitzero"`
	Created     time.Time `json:"gemaakt"`
	Activated   time.Time `json:"inGebruik,omitzero"`
	Ended       time.Time `json:"uitGebruik,omitzero"`
	Proposer    string    `json:"indiener,omitempty"` // id of a person; absent: the hub
	Confirmer   string    `json:"goedkeurder,omitempty"`
}

// HostedKeyBody asks for a key that is made and kept by the hub.
type HostedKeyBody struct {
	Algorithm string `json:"algoritme,omitempty"` // ES256 (where it is empty), ES384, ES512 or RS256
}

// KeyRequestView is a certificate request for an authority.
type KeyRequestView struct {
	Request string `json:"aanvraag"` // PKCS #10, PEM
}

// CertificateBody is what an authority gave.
type CertificateBody struct {
	Chain string `json:"certificaat"` // PEM, leaf first, without the anchor
}

// TouchedView is a contract that is signed anew when another key follows.
type TouchedView struct {
	Hash       string    `json:"hash"`
	Till       time.Time `json:"geldigTot"`
	Thumbprint string    `json:"vingerafdruk"` // of the certificate that it is signed with
	Done       bool      `json:"gereed"`       // that is the active key's
}
