-- A record's position is one dense number per shop. Its id, which was its
-- position, stays as the place in the table: what clients keep as a cursor
-- says it. What it costs: every event is written once.

-- +goose Up
CREATE TABLE logs (
    shop TEXT    NOT NULL,
    seq  INTEGER NOT NULL CONSTRAINT logs_seq CHECK (seq >= 0), -- the position of the last record
    PRIMARY KEY (shop)
) STRICT, WITHOUT ROWID;

-- Records that a follower could not process. A record that waits behind one
-- of the same order was not attempted.
CREATE TABLE parked_records (
    shop      TEXT    NOT NULL,
    id        TEXT    NOT NULL, -- follower-position
    follower  TEXT    NOT NULL,
    position  INTEGER NOT NULL,
    order_no  TEXT    NOT NULL,
    error     TEXT    NOT NULL,
    attempts  INTEGER NOT NULL,
    failed_at INTEGER,
    parked_at INTEGER,
    PRIMARY KEY (shop, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX parked_records_follower ON parked_records (shop, follower, order_no, position);

CREATE TABLE events_placed (
    id        INTEGER PRIMARY KEY,
    shop      TEXT    NOT NULL,
    position  INTEGER NOT NULL,
    order_no  TEXT    NOT NULL,
    at        INTEGER,
    trace     TEXT    NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq  INTEGER NOT NULL,
    types     TEXT    NOT NULL, -- of the events: a,b
    body      TEXT    NOT NULL
) STRICT;
INSERT INTO events_placed SELECT id, shop, row_number() OVER (PARTITION BY shop ORDER BY id), order_no, at, trace, first_seq, last_seq,
    coalesce((SELECT group_concat(DISTINCT b.value ->> 'type') FROM json_each(body) AS b), ''), body FROM events ORDER BY id;
DROP TABLE events;
ALTER TABLE events_placed RENAME TO events;
CREATE UNIQUE INDEX events_log ON events (shop, position);
CREATE INDEX events_order ON events (shop, order_no, position);
INSERT INTO logs SELECT s.shop, coalesce((SELECT max(e.position) FROM events AS e WHERE e.shop = s.shop), 0) FROM shops AS s;

CREATE TABLE cursors (
    shop     TEXT    NOT NULL,
    follower TEXT    NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (shop, follower)
) STRICT, WITHOUT ROWID;
INSERT INTO cursors SELECT shop, reaction, at FROM (
    SELECT p.shop, p.reaction, (SELECT max(e.position) FROM events AS e WHERE e.shop = p.shop AND e.id <= p.id) AS at FROM positions AS p
) WHERE at > 0;
DROP TABLE positions;

ALTER TABLE exchanges RENAME TO channel_messages;
DROP INDEX exchanges_order;
DROP INDEX exchanges_orphan;
CREATE INDEX channel_messages_order ON channel_messages (shop, order_no);
CREATE INDEX channel_messages_orphan ON channel_messages (shop, payment_no) WHERE verdict = 'orphan';

-- +goose Down
ALTER TABLE channel_messages RENAME TO exchanges;
DROP INDEX channel_messages_order;
DROP INDEX channel_messages_orphan;
CREATE INDEX exchanges_order ON exchanges (shop, order_no);
CREATE INDEX exchanges_orphan ON exchanges (shop, payment_no) WHERE verdict = 'orphan';

CREATE TABLE positions (
    shop     TEXT    NOT NULL,
    reaction TEXT    NOT NULL,
    tx       INTEGER NOT NULL,
    id       INTEGER NOT NULL,
    PRIMARY KEY (shop, reaction)
) STRICT, WITHOUT ROWID;
INSERT INTO positions SELECT shop, follower, 0, at FROM (
    SELECT c.shop, c.follower, (SELECT max(e.id) FROM events AS e WHERE e.shop = c.shop AND e.position <= c.position) AS at FROM cursors AS c
) WHERE at > 0;
DROP TABLE cursors;

CREATE TABLE events_by_id (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    tx        INTEGER NOT NULL DEFAULT 0,
    shop      TEXT    NOT NULL,
    order_no  TEXT    NOT NULL,
    at        INTEGER,
    trace     TEXT    NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq  INTEGER NOT NULL,
    ending    INTEGER NOT NULL CONSTRAINT events_is_ending CHECK (ending IN (0, 1)),
    body      TEXT    NOT NULL,
    CONSTRAINT events_tx CHECK (tx = 0)
) STRICT;
INSERT INTO events_by_id SELECT id, 0, shop, order_no, at, trace, first_seq, last_seq, EXISTS (SELECT 1 FROM json_each(body) AS b
    WHERE b.value ->> 'type' IN ('order.paid', 'order.closed', 'order.closing', 'order.refunded')
        OR b.value ->> 'type' = 'order.partially_paid' AND json_type(b.value, '$.units') = 'array'), body FROM events ORDER BY id;
DROP TABLE events;
ALTER TABLE events_by_id RENAME TO events;
CREATE INDEX events_log ON events (shop);
CREATE INDEX events_ending ON events (shop) WHERE ending = 1;
CREATE INDEX events_order ON events (shop, order_no);

DROP TABLE parked_records;
DROP TABLE logs;
