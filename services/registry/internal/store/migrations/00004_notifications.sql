-- +goose Up
-- Notifications: what each organisation is told (outbox and feed in one), by which channels, and how far that is.
CREATE TABLE notification_feed (
    organisation TEXT   PRIMARY KEY,
    last         BIGINT NOT NULL,          -- number of the newest event
    swept        BIGINT NOT NULL DEFAULT 0 -- number up to which events were removed
);

CREATE TABLE notification_event (
    id           TEXT   PRIMARY KEY, -- UUIDv7
    organisation TEXT   NOT NULL,
    number       BIGINT NOT NULL,    -- in the organisation's feed, from 1 without gaps
    type         TEXT   NOT NULL,
    subject_kind TEXT   NOT NULL,
    subject      TEXT   NOT NULL,
    facts        TEXT   NOT NULL,    -- JSON object; never personal data
    at           BIGINT NOT NULL,
    fanned_at    BIGINT,             -- NULL: its deliveries were not made yet
    UNIQUE (organisation, number)
);
CREATE INDEX notification_event_fresh ON notification_event (id) WHERE fanned_at IS NULL;
CREATE INDEX notification_event_at ON notification_event (at);

CREATE TABLE notification_channel (
    id           TEXT    PRIMARY KEY, -- UUIDv7
    organisation TEXT    NOT NULL,
    revision     BIGINT  NOT NULL,
    kind         TEXT    NOT NULL,
    address      TEXT    NOT NULL,
    person       TEXT    NOT NULL,
    digest       BOOLEAN NOT NULL,
    language     TEXT    NOT NULL,
    types        TEXT    NOT NULL, -- JSON array; [] is all
    ca           TEXT    NOT NULL,
    pin          TEXT    NOT NULL,
    rate         BIGINT  NOT NULL, -- messages a minute; 0: no limit
    state        TEXT    NOT NULL,
    created_at   BIGINT  NOT NULL,
    last_at      BIGINT,           -- of the last try
    last_ok      BOOLEAN NOT NULL DEFAULT FALSE,
    last_result  TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX notification_channel_organisation ON notification_channel (organisation);

CREATE TABLE notification_mute (
    id           TEXT   PRIMARY KEY, -- UUIDv7
    organisation TEXT   NOT NULL,
    channel      TEXT   NOT NULL, -- '': every
    person       TEXT   NOT NULL, -- '': every
    type         TEXT   NOT NULL, -- '': every
    until        BIGINT NOT NULL,
    muted_by     TEXT   NOT NULL,
    muted_at     BIGINT NOT NULL
);
CREATE INDEX notification_mute_organisation ON notification_mute (organisation, until);

CREATE TABLE notification_delivery (
    event        TEXT   NOT NULL REFERENCES notification_event (id),
    channel      TEXT   NOT NULL, -- stays when the channel is removed: what was not delivered is not forgotten
    organisation TEXT   NOT NULL,
    state        TEXT   NOT NULL, -- pending, delivered, parked, muted
    attempts     BIGINT NOT NULL,
    due          BIGINT NOT NULL, -- pending: the next try; of a claimed one: when the claim ends
    batch        TEXT   NOT NULL, -- day of the digest; '': none
    result       TEXT   NOT NULL,
    changed_at   BIGINT NOT NULL,
    PRIMARY KEY (event, channel)
);
CREATE INDEX notification_delivery_due ON notification_delivery (due, channel) WHERE state = 'pending';
CREATE INDEX notification_delivery_channel ON notification_delivery (channel, due) WHERE state = 'pending';
CREATE INDEX notification_delivery_parked ON notification_delivery (organisation, changed_at) WHERE state = 'parked';

-- +goose Down
DROP TABLE notification_delivery;
DROP TABLE notification_mute;
DROP TABLE notification_channel;
DROP TABLE notification_event;
DROP TABLE notification_feed;
