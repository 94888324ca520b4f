-- +goose Up
CREATE TABLE signing_key (
    kid        TEXT   PRIMARY KEY,
    sealed     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    use_from   BIGINT NOT NULL
);

-- +goose Down
DROP TABLE signing_key;
