-- +goose Up

-- Where the log of each gateway stands: the last record that is held.
CREATE TABLE logs (
    gateway  TEXT   PRIMARY KEY,
    sequence BIGINT NOT NULL,
    hash     TEXT   NOT NULL
);

-- One row per line of a gateway's log. The line is what counts; the other columns are for finding it.
CREATE TABLE records (
    gateway        TEXT   NOT NULL,
    sequence       BIGINT NOT NULL,
    hash           TEXT   NOT NULL,
    kind           TEXT   NOT NULL,
    at             BIGINT NOT NULL,
    transaction_id TEXT   NOT NULL,
    trace_id       TEXT   NOT NULL,
    span_id        TEXT   NOT NULL,
    service        TEXT   NOT NULL,
    consumer       TEXT   NOT NULL,
    delegator      TEXT   NOT NULL,
    provider       TEXT   NOT NULL,
    line           BYTEA  NOT NULL,
    PRIMARY KEY (gateway, sequence)
);
CREATE INDEX records_transaction ON records (transaction_id, span_id);
CREATE INDEX records_trace ON records (trace_id);
CREATE INDEX records_time ON records (at, gateway, sequence);

-- Who takes part in the call of a decision record, for lists by organisation in the order of time.
CREATE TABLE parties (
    organisation TEXT   NOT NULL,
    at           BIGINT NOT NULL,
    gateway      TEXT   NOT NULL,
    sequence     BIGINT NOT NULL,
    PRIMARY KEY (organisation, at, gateway, sequence)
);

-- Spans may be lost and are purged; nothing refers to them.
CREATE TABLE spans (
    trace_id   TEXT   NOT NULL,
    span_id    TEXT   NOT NULL,
    parent_id  TEXT   NOT NULL,
    part       TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    status     TEXT   NOT NULL,
    begun      BIGINT NOT NULL,
    ended      BIGINT NOT NULL,
    attributes TEXT   NOT NULL,
    received   BIGINT NOT NULL,
    PRIMARY KEY (trace_id, span_id)
);
CREATE INDEX spans_received ON spans (received);

-- The logbooks (Logboek Dataverwerkingen), one per responsible organisation. Append only.
CREATE TABLE processing (
    controller TEXT   NOT NULL,
    trace_id   TEXT   NOT NULL,
    span_id    TEXT   NOT NULL,
    received   BIGINT NOT NULL,
    record     TEXT   NOT NULL,
    PRIMARY KEY (controller, trace_id, span_id)
);
