-- Signing keys that the hub keeps. sealed is the private key, encrypted under the envelope key that envelope names; all
-- else is public, and stays when the private key is gone.
CREATE TABLE custody_key (
    id           TEXT   PRIMARY KEY, -- SHA-256 of the public key, hex
    organisation TEXT   NOT NULL,
    purpose      TEXT   NOT NULL,
    algorithm    TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    public_key   BYTEA  NOT NULL,    -- SubjectPublicKeyInfo
    sealed       BYTEA,
    envelope     TEXT   NOT NULL,    -- empty: destroyed
    chain        TEXT   NOT NULL,    -- PEM, leaf first; empty: none
    thumbprint   TEXT   NOT NULL,    -- x5t#S256 of the leaf
    not_after    BIGINT,
    created_at   BIGINT NOT NULL,
    activated_at BIGINT,
    ended_at     BIGINT,
    proposer     TEXT   NOT NULL,    -- JSON, with the evidence of the sign-in
    confirmer    TEXT   NOT NULL
);
CREATE UNIQUE INDEX custody_key_active ON custody_key (organisation, purpose) WHERE state = 'active';
CREATE UNIQUE INDEX custody_key_pending ON custody_key (organisation, purpose) WHERE state = 'pending';
CREATE INDEX custody_key_organisation ON custody_key (organisation, created_at);
CREATE INDEX custody_key_ending ON custody_key (not_after) WHERE state = 'active';
CREATE INDEX custody_key_envelope ON custody_key (envelope);
