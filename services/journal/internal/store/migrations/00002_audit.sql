-- +goose Up

-- What people with special rights did: looks of the hub operator at the metadata of others. Append only.
CREATE TABLE audit (
    id           TEXT   PRIMARY KEY,
    at           BIGINT NOT NULL,
    organisation TEXT   NOT NULL,
    client_id    TEXT   NOT NULL,
    subject      TEXT   NOT NULL,
    act          TEXT   NOT NULL,
    object       TEXT   NOT NULL,
    result       TEXT   NOT NULL
);
CREATE INDEX audit_time ON audit (at);
