-- +goose Up
CREATE TABLE snapshot (
    epoch      BIGINT NOT NULL,
    number     BIGINT NOT NULL,
    hash       TEXT   NOT NULL, -- SHA-256 of the content without version, time and signature, hex
    created_at BIGINT NOT NULL,
    body       BYTEA,           -- signed bytes; of the newest only
    signature  TEXT,
    PRIMARY KEY (epoch, number)
);

CREATE TABLE part_keys (
    id           TEXT   PRIMARY KEY,
    part         TEXT   NOT NULL,
    instance     TEXT   NOT NULL,
    jwks         TEXT   NOT NULL,
    published_at BIGINT NOT NULL,
    replaced_at  BIGINT
);
CREATE INDEX part_keys_current ON part_keys (part, instance, replaced_at);

CREATE TABLE audit (
    id     TEXT   PRIMARY KEY,
    at     BIGINT NOT NULL,
    actor  TEXT   NOT NULL,
    act    TEXT   NOT NULL,
    detail TEXT   NOT NULL
);
CREATE INDEX audit_at ON audit (at);

-- +goose Down
DROP TABLE audit;
DROP TABLE part_keys;
DROP TABLE snapshot;
