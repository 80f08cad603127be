-- Refunds, instalments, policies and reconciliation. A new column is written
-- to no row before that row is; the new indexes read orders, payments and
-- exchanges once.
--
-- What it costs the road: a payment that succeeds enters one index more. All
-- other new indexes hold only what is out of the ordinary.

-- +goose Up
ALTER TABLE shops ADD COLUMN policies TEXT; -- NULL: the defaults

-- extra is what most orders have not: returns, a plan, when its goods go.
ALTER TABLE orders ADD COLUMN refunding INTEGER NOT NULL DEFAULT 0 CONSTRAINT orders_refunding CHECK (refunding >= 0);
ALTER TABLE orders ADD COLUMN extra TEXT;
ALTER TABLE orders ADD COLUMN remind_at INTEGER;
-- An order that ended keeps the date of its reminder; without the status here
-- those would be read past for ever.
CREATE INDEX orders_remind ON orders (shop, remind_at)
    WHERE remind_at IS NOT NULL AND status IN ('pending_payment', 'partially_paid', 'payment_failed');

ALTER TABLE payments ADD COLUMN refunding INTEGER NOT NULL DEFAULT 0 CONSTRAINT payments_refunding CHECK (refunding >= 0);
CREATE INDEX payments_settled ON payments (shop, channel, succeeded_at) WHERE succeeded_at IS NOT NULL;
CREATE INDEX payments_suspense ON payments (shop, channel) WHERE status = 'succeeded' AND amount > applied + refunded;

CREATE TABLE refunds (
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
CREATE INDEX refunds_order ON refunds (shop, order_no, refund_no);
CREATE INDEX refunds_by_status ON refunds (shop, status, refund_no);
CREATE INDEX refunds_parked ON refunds (shop, refund_no) WHERE parked = 1;
CREATE INDEX refunds_due ON refunds (shop, next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX refunds_over ON refunds (shop, done_at) WHERE done_at IS NOT NULL;

CREATE TABLE reconciliations (
    shop        TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    channel     TEXT    NOT NULL,
    day         TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    runs        INTEGER NOT NULL,
    started_at  INTEGER,
    finished_at INTEGER,
    error       TEXT    NOT NULL,
    summary     TEXT,
    version     INTEGER NOT NULL,
    PRIMARY KEY (shop, id),
    CONSTRAINT reconciliations_status CHECK (status IN ('waiting', 'done', 'failed'))
) STRICT;

CREATE TABLE discrepancies (
    shop           TEXT    NOT NULL,
    id             TEXT    NOT NULL,
    channel        TEXT    NOT NULL,
    day            TEXT    NOT NULL,
    class          TEXT    NOT NULL,
    payment_no     TEXT    NOT NULL,
    refund_no      TEXT    NOT NULL,
    transaction_id TEXT    NOT NULL,
    ours           INTEGER NOT NULL,
    theirs         INTEGER NOT NULL,
    detail         TEXT    NOT NULL,
    status         TEXT    NOT NULL,
    resolution     TEXT    NOT NULL,
    created_at     INTEGER,
    resolved_at    INTEGER,
    version        INTEGER NOT NULL,
    PRIMARY KEY (shop, id),
    CONSTRAINT discrepancies_status CHECK (status IN ('open', 'healed', 'resolved'))
) STRICT;
CREATE INDEX discrepancies_open ON discrepancies (shop, id) WHERE status = 'open';
CREATE INDEX discrepancies_day ON discrepancies (shop, day, id);

-- Callbacks that found no payment, by the number that they named.
CREATE INDEX exchanges_orphan ON exchanges (shop, payment_no) WHERE verdict = 'orphan';

-- +goose Down
DROP INDEX exchanges_orphan;
DROP TABLE discrepancies;
DROP TABLE reconciliations;
DROP TABLE refunds;
DROP INDEX payments_suspense;
DROP INDEX payments_settled;
ALTER TABLE payments DROP COLUMN refunding;
DROP INDEX orders_remind;
ALTER TABLE orders DROP COLUMN remind_at;
ALTER TABLE orders DROP COLUMN extra;
ALTER TABLE orders DROP COLUMN refunding;
ALTER TABLE shops DROP COLUMN policies;
