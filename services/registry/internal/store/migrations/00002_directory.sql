-- +goose Up
-- What the registry administers: one row per organisation, person, client, service, contract and narrowing, as it is now.
CREATE TABLE entity (
    kind       TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    revision   BIGINT NOT NULL, -- of all changes together: who wrote last has the highest
    source     TEXT   NOT NULL, -- "region": a region file stated it first; "" an act of a person or a program
    stated     TEXT   NOT NULL, -- SHA-256 of what the region file says of it, hex; a file that says the same again changes nothing
    changed_at BIGINT NOT NULL,
    body       TEXT   NOT NULL, -- JSON
    PRIMARY KEY (kind, id)
);

-- +goose Down
DROP TABLE entity;
