-- +goose Up

-- The key that a delivered case is encrypted with. Its row goes at the end of the case's term, and with it the case.
CREATE TABLE data_keys (
    transfer TEXT  PRIMARY KEY REFERENCES transfers (id),
    data_key BYTEA NOT NULL
);
ALTER TABLE transfers ADD COLUMN destroyed_at BIGINT;
UPDATE transfers SET due_at = changed_at + 604800000000 WHERE state IN ('gesloten', 'geweigerd');
