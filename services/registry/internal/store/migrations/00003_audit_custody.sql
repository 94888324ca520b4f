-- +goose Up
DROP TABLE audit; -- of a version that nobody ran: it proved nothing

-- The audit log: one row per administrative act. body is what was logged, byte for byte; the other columns follow from it
-- and serve searching. Rows and their salts may be removed from the first on; nodes never.
CREATE TABLE audit_record (
    sequence     BIGINT PRIMARY KEY, -- from 1, without gaps
    salt         BYTEA  NOT NULL,
    body         TEXT   NOT NULL,    -- JSON
    id           TEXT   NOT NULL,
    at           BIGINT NOT NULL,
    act          TEXT   NOT NULL,
    outcome      TEXT   NOT NULL,
    person       TEXT   NOT NULL,
    client       TEXT   NOT NULL,
    organisation TEXT   NOT NULL,    -- of the actor
    subject_kind TEXT   NOT NULL,
    subject_id   TEXT   NOT NULL
);
CREATE INDEX audit_record_at ON audit_record (at);
CREATE INDEX audit_record_act ON audit_record (act, sequence);
CREATE INDEX audit_record_person ON audit_record (person, sequence);
CREATE INDEX audit_record_subject ON audit_record (subject_kind, subject_id, sequence);

-- Which organisations may read a record.
CREATE TABLE audit_reader (
    organisation TEXT   NOT NULL,
    sequence     BIGINT NOT NULL,
    PRIMARY KEY (organisation, sequence)
);
CREATE INDEX audit_reader_sequence ON audit_reader (sequence);

-- The Merkle tree over the records: leaves and the roots of full subtrees, in the order in which they were complete.
CREATE TABLE audit_node (
    position BIGINT PRIMARY KEY,
    hash     BYTEA  NOT NULL
);

-- What is needed to append to the tree; one row.
CREATE TABLE audit_tree (
    id       BIGINT PRIMARY KEY CHECK (id = 1),
    frontier BYTEA  NOT NULL
);

CREATE TABLE audit_checkpoint (
    size BIGINT PRIMARY KEY, -- of the log that was signed
    note TEXT   NOT NULL
);

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

-- +goose Down
DROP TABLE custody_key;
DROP TABLE audit_checkpoint;
DROP TABLE audit_tree;
DROP TABLE audit_node;
DROP TABLE audit_reader;
DROP TABLE audit_record;
CREATE TABLE audit (
    id     TEXT   PRIMARY KEY,
    at     BIGINT NOT NULL,
    actor  TEXT   NOT NULL,
    act    TEXT   NOT NULL,
    detail TEXT   NOT NULL
);
