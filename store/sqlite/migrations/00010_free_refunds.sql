-- A refund of 0: units that cost nothing go back. SQLite cannot change a CHECK,
-- so that the table is written anew.

-- +goose Up
CREATE TABLE refunds_new (
    shop        TEXT    NOT NULL,
    refund_no   TEXT    NOT NULL,
    order_no    TEXT    NOT NULL,
    cause       TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    amount      INTEGER NOT NULL,
    currency    TEXT    NOT NULL,
    parked      INTEGER NOT NULL CONSTRAINT refunds_is_parked CHECK (parked IN (0, 1)),
    detail      TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    done_at     INTEGER,
    next_try_at INTEGER,
    tries       INTEGER NOT NULL,
    trace       TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    PRIMARY KEY (shop, refund_no),
    CONSTRAINT refunds_status CHECK (status IN ('pending', 'succeeded', 'failed')),
    CONSTRAINT refunds_amount CHECK (amount >= 0),
    CONSTRAINT refunds_done CHECK ((status = 'pending') = (done_at IS NULL) AND (status = 'pending' OR next_try_at IS NULL))
) STRICT;
INSERT INTO refunds_new SELECT * FROM refunds;
DROP TABLE refunds;
ALTER TABLE refunds_new RENAME TO refunds;
CREATE INDEX refunds_order ON refunds (shop, order_no, refund_no);
CREATE INDEX refunds_by_status ON refunds (shop, status, refund_no);
CREATE INDEX refunds_parked ON refunds (shop, refund_no) WHERE parked = 1;
CREATE INDEX refunds_due ON refunds (shop, next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX refunds_over ON refunds (shop, done_at) WHERE done_at IS NOT NULL;

-- An older program would not give back what orders counted.
INSERT INTO schema_requires VALUES (10);

-- +goose Down
DELETE FROM schema_requires WHERE version = 10;
CREATE TABLE refunds_new (
    shop        TEXT    NOT NULL,
    refund_no   TEXT    NOT NULL,
    order_no    TEXT    NOT NULL,
    cause       TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    amount      INTEGER NOT NULL,
    currency    TEXT    NOT NULL,
    parked      INTEGER NOT NULL CONSTRAINT refunds_is_parked CHECK (parked IN (0, 1)),
    detail      TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    done_at     INTEGER,
    next_try_at INTEGER,
    tries       INTEGER NOT NULL,
    trace       TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    PRIMARY KEY (shop, refund_no),
    CONSTRAINT refunds_status CHECK (status IN ('pending', 'succeeded', 'failed')),
    CONSTRAINT refunds_amount CHECK (amount > 0),
    CONSTRAINT refunds_done CHECK ((status = 'pending') = (done_at IS NULL) AND (status = 'pending' OR next_try_at IS NULL))
) STRICT;
INSERT INTO refunds_new SELECT * FROM refunds WHERE amount > 0;
DROP TABLE refunds;
ALTER TABLE refunds_new RENAME TO refunds;
CREATE INDEX refunds_order ON refunds (shop, order_no, refund_no);
CREATE INDEX refunds_by_status ON refunds (shop, status, refund_no);
CREATE INDEX refunds_parked ON refunds (shop, refund_no) WHERE parked = 1;
CREATE INDEX refunds_due ON refunds (shop, next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX refunds_over ON refunds (shop, done_at) WHERE done_at IS NOT NULL;
