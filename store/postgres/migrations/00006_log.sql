-- A record's position is one dense number per shop, where it was the number
-- of a transaction and an id: a server counts its transactions anew when a
-- database is restored into it, upgraded logically or promoted from a logical
-- replica, and then what followed the log stood behind all that came.
--
-- What it costs: every event is written once, and the log's table has twice
-- its size until it is vacuumed. Nobody writes meanwhile.

-- +goose Up

CREATE TABLE logs (
    shop text COLLATE "C" NOT NULL,
    seq  bigint NOT NULL CONSTRAINT logs_seq CHECK (seq >= 0), -- the position of the last record
    PRIMARY KEY (shop)
) WITH (fillfactor = 10); -- each commit writes the row: there is room for it beside itself

-- Records that a follower could not process. A record that waits behind one
-- of the same order was not attempted.
CREATE TABLE parked_records (
    shop      text COLLATE "C" NOT NULL,
    id        text COLLATE "C" NOT NULL, -- follower-position
    follower  text COLLATE "C" NOT NULL,
    position  bigint NOT NULL,
    order_no  text COLLATE "C" NOT NULL,
    error     text NOT NULL,
    attempts  bigint NOT NULL,
    failed_at timestamptz,
    parked_at timestamptz,
    PRIMARY KEY (shop, id)
);
CREATE INDEX parked_records_follower ON parked_records (shop, follower, order_no, position) WHERE follower <> '';

-- The order of the positions is that in which the records were followed: by
-- tx and id. Only where the database has been moved from one server to another
-- is a later record's tx the smaller one; there the ids, which are a sequence
-- and moved with the data, tell the epochs apart. A new one begins behind the
-- last record whose tx this server has not come to yet, and where tx falls by
-- more than transactions begin while one statement runs.
ALTER TABLE events ADD COLUMN position bigint, ADD COLUMN epoch bigint, ADD COLUMN types text;
UPDATE events AS e SET position = n.position, epoch = n.epoch,
    types = coalesce((SELECT string_agg(DISTINCT b ->> 'type', ',') FROM json_array_elements(CASE json_typeof(e.body) WHEN 'array' THEN e.body END) AS b), '')
FROM (
    SELECT shop, tx, id, epoch, row_number() OVER (PARTITION BY shop ORDER BY epoch, tx, id) AS position FROM (
        SELECT shop, tx, id, count(*) FILTER (WHERE tx_before > tx + 10000 OR id > ahead AND id_before = ahead) OVER (PARTITION BY shop ORDER BY id) AS epoch FROM (
            SELECT shop, tx, id, lag(tx) OVER (PARTITION BY shop ORDER BY id) AS tx_before, lag(id) OVER (PARTITION BY shop ORDER BY id) AS id_before,
                max(id) FILTER (WHERE tx > pg_current_xact_id()::text::bigint) OVER (PARTITION BY shop) AS ahead
            FROM events
        ) AS a
    ) AS b
) AS n WHERE e.shop = n.shop AND e.tx = n.tx AND e.id = n.id;

ALTER TABLE positions RENAME TO cursors;
ALTER INDEX positions_pkey RENAME TO cursors_pkey;
ALTER TABLE cursors RENAME COLUMN reaction TO follower;
ALTER TABLE cursors ADD COLUMN position bigint;
-- A cursor is where its last record is. If that is gone, it is before the
-- first that can be later.
UPDATE cursors AS c SET position = coalesce(
    (SELECT e.position FROM events AS e WHERE e.shop = c.shop AND e.tx = c.tx AND e.id = c.id),
    (SELECT min(e.position) - 1 FROM events AS e WHERE e.shop = c.shop AND (e.tx > c.tx OR e.id > c.id)),
    (SELECT max(e.position) FROM events AS e WHERE e.shop = c.shop), 0);
-- Where a reaction has come to records of a later epoch, it has passed by
-- those that seemed to be before it, or may have: a person decides.
INSERT INTO parked_records (shop, id, follower, position, order_no, error, attempts, failed_at, parked_at)
    SELECT c.shop, c.follower || '-' || e.position, c.follower, e.position, e.order_no,
        'The database was moved to another server, and this record may have been passed by: see whether it was processed. If not, retry it; if so, dismiss it.',
        0, e.at, now()
    FROM cursors AS c JOIN events AS last ON last.shop = c.shop AND last.tx = c.tx AND last.id = c.id
    JOIN events AS e ON e.shop = c.shop AND e.ending AND e.position < last.position
    WHERE last.epoch > 0 AND (e.epoch < last.epoch AND (e.tx, e.id) > (c.tx, c.id)
        OR e.epoch = last.epoch AND e.tx <= (SELECT max(o.tx) FROM events AS o WHERE o.shop = c.shop AND o.epoch < last.epoch));
DELETE FROM cursors WHERE position = 0;
ALTER TABLE cursors ALTER COLUMN position SET NOT NULL, DROP COLUMN tx, DROP COLUMN id;

INSERT INTO logs (shop, seq) SELECT s.shop, coalesce((SELECT max(e.position) FROM events AS e WHERE e.shop = s.shop), 0) FROM shops AS s;

-- What clients keep as a cursor says where a record was. Later records were
-- nowhere else.
DROP INDEX events_ending;
DROP INDEX events_order;
ALTER TABLE events DROP CONSTRAINT events_pkey;
ALTER TABLE events RENAME COLUMN tx TO former_tx;
ALTER TABLE events RENAME COLUMN id TO former_id;
ALTER TABLE events ALTER COLUMN former_tx DROP NOT NULL, ALTER COLUMN former_id DROP NOT NULL, ALTER COLUMN former_id DROP DEFAULT,
    ALTER COLUMN position SET NOT NULL, ALTER COLUMN types SET NOT NULL, DROP COLUMN epoch, DROP COLUMN ending,
    ADD CONSTRAINT events_pkey PRIMARY KEY (shop, position);
DROP SEQUENCE events_id;
CREATE INDEX events_order ON events (shop, order_no, position);
CREATE INDEX events_former ON events (shop, former_tx, former_id) WHERE former_tx IS NOT NULL;

ALTER TABLE exchanges RENAME TO channel_messages;
ALTER SEQUENCE exchanges_id RENAME TO channel_messages_id;
ALTER INDEX exchanges_pkey RENAME TO channel_messages_pkey;
ALTER INDEX exchanges_order RENAME TO channel_messages_order;
ALTER INDEX exchanges_orphan RENAME TO channel_messages_orphan;

-- +goose Down

ALTER TABLE channel_messages RENAME TO exchanges;
ALTER SEQUENCE channel_messages_id RENAME TO exchanges_id;
ALTER INDEX channel_messages_pkey RENAME TO exchanges_pkey;
ALTER INDEX channel_messages_order RENAME TO exchanges_order;
ALTER INDEX channel_messages_orphan RENAME TO exchanges_orphan;

-- Every record so far is put before all transactions, in the order of the
-- positions; what is written from then on comes after.
DROP INDEX events_former;
DROP INDEX events_order;
ALTER TABLE events DROP CONSTRAINT events_pkey;
ALTER TABLE events RENAME COLUMN former_tx TO tx;
ALTER TABLE events RENAME COLUMN former_id TO id;
ALTER TABLE events ADD COLUMN ending boolean;
UPDATE events AS e SET tx = 0, id = position, ending = EXISTS (SELECT FROM json_array_elements(CASE json_typeof(e.body) WHEN 'array' THEN e.body END) AS b
    WHERE b ->> 'type' IN ('order.paid', 'order.closed', 'order.closing', 'order.refunded')
        OR b ->> 'type' = 'order.partially_paid' AND json_typeof(b -> 'units') = 'array');
CREATE SEQUENCE events_id;
SELECT setval('events_id', coalesce(max(position), 0) + 1, false) FROM events;
ALTER TABLE events ALTER COLUMN tx SET NOT NULL, ALTER COLUMN id SET NOT NULL, ALTER COLUMN id SET DEFAULT nextval('events_id'),
    ALTER COLUMN ending SET NOT NULL, DROP COLUMN position, DROP COLUMN types, ADD CONSTRAINT events_pkey PRIMARY KEY (shop, tx, id);
CREATE INDEX events_order ON events (shop, order_no, id);
CREATE INDEX events_ending ON events (shop, tx, id) WHERE ending;

ALTER TABLE cursors RENAME TO positions;
ALTER INDEX cursors_pkey RENAME TO positions_pkey;
ALTER TABLE positions RENAME COLUMN follower TO reaction;
ALTER TABLE positions RENAME COLUMN position TO id;
DELETE FROM positions WHERE id = 0;
ALTER TABLE positions ADD COLUMN tx bigint NOT NULL DEFAULT 0;
ALTER TABLE positions ALTER COLUMN tx DROP DEFAULT;

DROP TABLE parked_records;
DROP TABLE logs;
