-- +goose Up

-- Why the receiver sent a case back, what the sender did with its own, and when the timer has to look. A worker holds a row
-- that it works on until leased_until.
ALTER TABLE transfers ADD COLUMN refusal_code TEXT NOT NULL DEFAULT '';
ALTER TABLE transfers ADD COLUMN source_case TEXT NOT NULL DEFAULT '';
ALTER TABLE transfers ADD COLUMN due_at BIGINT;
ALTER TABLE transfers ADD COLUMN leased_until BIGINT NOT NULL DEFAULT 0;
UPDATE transfers SET due_at = deadline WHERE state IN ('aangeboden', 'geaccepteerd');
UPDATE transfers SET due_at = changed_at + 2592000000000 WHERE state = 'verwerkt';
CREATE INDEX transfers_due ON transfers (due_at) WHERE due_at IS NOT NULL;

-- The Idempotency-Keys of commands, for as long as their transfer is kept.
CREATE TABLE idempotency_keys (
    organisation TEXT   NOT NULL,
    value        TEXT   NOT NULL,
    transfer     TEXT   NOT NULL REFERENCES transfers (id),
    request      TEXT   NOT NULL,
    sequence     BIGINT NOT NULL,
    PRIMARY KEY (organisation, value)
);
