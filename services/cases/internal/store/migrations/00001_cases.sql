-- +goose Up

-- One row per transfer: where it stands now. offer is its JSON, for what is never searched.
CREATE TABLE transfers (
    id            TEXT   PRIMARY KEY,
    sender        TEXT   NOT NULL,
    receiver      TEXT   NOT NULL,
    state         TEXT   NOT NULL,
    version       BIGINT NOT NULL,
    receipts      BIGINT NOT NULL,
    offer         TEXT   NOT NULL,
    grant_hash    TEXT   NOT NULL,
    contract_hash TEXT   NOT NULL,
    purpose       TEXT   NOT NULL,
    activity      TEXT   NOT NULL,
    offered_at    BIGINT NOT NULL,
    changed_at    BIGINT NOT NULL,
    deadline      BIGINT,
    reason        TEXT   NOT NULL,
    processed_id  TEXT   NOT NULL,
    processed_url TEXT   NOT NULL,
    trace         TEXT   NOT NULL
);
CREATE INDEX transfers_sender ON transfers (sender, offered_at, id);
CREATE INDEX transfers_receiver ON transfers (receiver, offered_at, id);

-- The receipts of a transfer. Append only.
CREATE TABLE receipts (
    transfer TEXT   NOT NULL REFERENCES transfers (id),
    sequence BIGINT NOT NULL,
    id       TEXT   NOT NULL UNIQUE,
    type     TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    jws      TEXT   NOT NULL,
    PRIMARY KEY (transfer, sequence)
);

-- Delivered cases, apart from the transfers: lists never read them.
CREATE TABLE payloads (
    transfer TEXT  PRIMARY KEY REFERENCES transfers (id),
    body     BYTEA NOT NULL
);

-- The feed of an organisation: the number of its newest event. The row is locked while an event is added, so numbers
-- become visible in their order and a reader that has seen one has seen all before it.
CREATE TABLE feeds (
    organisation TEXT   PRIMARY KEY,
    last         BIGINT NOT NULL
);
CREATE TABLE events (
    organisation TEXT   NOT NULL,
    number       BIGINT NOT NULL,
    id           TEXT   NOT NULL,
    type         TEXT   NOT NULL,
    transfer     TEXT   NOT NULL REFERENCES transfers (id),
    sequence     BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    sender       TEXT   NOT NULL,
    receiver     TEXT   NOT NULL,
    PRIMARY KEY (organisation, number)
);
