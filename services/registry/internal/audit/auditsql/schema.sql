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
