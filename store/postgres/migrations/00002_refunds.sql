-- Refunds, instalments, policies and reconciliation.
--
-- New columns have constant defaults, so that no row is written for them.
-- What takes time with tables that are large already is to check the new
-- constraints and to make the new indexes: one pass over orders, payments and
-- exchanges, while nobody writes.
--
-- What it costs the road: a payment that succeeds enters one index more, at
-- the end of its channel (measured in batches of 200: 27 to 31 µs a payment
-- instead of 24); all other new indexes hold only what is out of the
-- ordinary, and placing an order costs no more than before. As in 00001 all are partial, so that none is a candidate for a
-- look-up by a primary key.

-- +goose Up

ALTER TABLE shops ADD COLUMN policies json; -- NULL: the defaults

-- extra is what most orders have not: returns, a plan, when its goods go.
ALTER TABLE orders
    ADD COLUMN refunding bigint NOT NULL DEFAULT 0 CONSTRAINT orders_refunding CHECK (refunding >= 0),
    ADD COLUMN extra     json,
    ADD COLUMN remind_at timestamptz;
-- An order that ended keeps the date of its reminder; without the status here
-- those would be read past for ever.
CREATE INDEX orders_remind ON orders (shop, remind_at)
    WHERE remind_at IS NOT NULL AND status IN ('pending_payment', 'partially_paid', 'payment_failed');

ALTER TABLE payments
    ADD COLUMN refunding bigint NOT NULL DEFAULT 0 CONSTRAINT payments_refunding CHECK (refunding >= 0),
    ALTER COLUMN channel TYPE text COLLATE "C"; -- a key now; no row is rewritten for it
CREATE INDEX payments_settled ON payments (shop, channel, succeeded_at) WHERE succeeded_at IS NOT NULL;
CREATE INDEX payments_suspense ON payments (shop, channel) WHERE status = 'succeeded' AND amount > applied + refunded;

CREATE TABLE refunds (
    shop        text COLLATE "C" NOT NULL,
    refund_no   text COLLATE "C" NOT NULL,
    order_no    text COLLATE "C" NOT NULL,
    cause       text NOT NULL,
    status      text COLLATE "C" NOT NULL CONSTRAINT refunds_status CHECK (status IN ('pending', 'succeeded', 'failed')),
    amount      bigint NOT NULL CONSTRAINT refunds_amount CHECK (amount > 0),
    currency    text NOT NULL,
    parked      boolean NOT NULL,
    detail      json NOT NULL,
    created_at  timestamptz NOT NULL,
    done_at     timestamptz,
    next_try_at timestamptz,
    tries       bigint NOT NULL,
    trace       text NOT NULL,
    version     bigint NOT NULL,
    PRIMARY KEY (shop, refund_no),
    CONSTRAINT refunds_done CHECK ((status = 'pending') = (done_at IS NULL) AND (status = 'pending' OR next_try_at IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX refunds_order ON refunds (shop, order_no, refund_no) WHERE order_no <> '';
CREATE INDEX refunds_by_status ON refunds (shop, status, refund_no) WHERE status <> '';
CREATE INDEX refunds_parked ON refunds (shop, refund_no) WHERE parked;
CREATE INDEX refunds_due ON refunds (shop, next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX refunds_over ON refunds (shop, done_at) WHERE done_at IS NOT NULL;

CREATE TABLE reconciliations (
    shop        text COLLATE "C" NOT NULL,
    id          text COLLATE "C" NOT NULL,
    channel     text NOT NULL,
    day         text NOT NULL,
    status      text NOT NULL CONSTRAINT reconciliations_status CHECK (status IN ('waiting', 'done', 'failed')),
    runs        bigint NOT NULL,
    started_at  timestamptz,
    finished_at timestamptz,
    error       text NOT NULL,
    summary     json,
    version     bigint NOT NULL,
    PRIMARY KEY (shop, id)
);

CREATE TABLE discrepancies (
    shop           text COLLATE "C" NOT NULL,
    id             text COLLATE "C" NOT NULL,
    channel        text NOT NULL,
    day            text COLLATE "C" NOT NULL,
    class          text NOT NULL,
    payment_no     text NOT NULL,
    refund_no      text NOT NULL,
    transaction_id text NOT NULL,
    ours           bigint NOT NULL,
    theirs         bigint NOT NULL,
    detail         text NOT NULL,
    status         text NOT NULL CONSTRAINT discrepancies_status CHECK (status IN ('open', 'healed', 'resolved')),
    resolution     text NOT NULL,
    created_at     timestamptz,
    resolved_at    timestamptz,
    version        bigint NOT NULL,
    PRIMARY KEY (shop, id)
);
CREATE INDEX discrepancies_open ON discrepancies (shop, id) WHERE status = 'open';
CREATE INDEX discrepancies_day ON discrepancies (shop, day, id) WHERE day <> '';

-- Callbacks that found no payment, by the number that they named.
ALTER TABLE exchanges ALTER COLUMN payment_no TYPE text COLLATE "C";
CREATE INDEX exchanges_orphan ON exchanges (shop, payment_no) WHERE verdict = 'orphan';

-- +goose Down

DROP INDEX exchanges_orphan;
ALTER TABLE exchanges ALTER COLUMN payment_no TYPE text;
DROP TABLE discrepancies;
DROP TABLE reconciliations;
DROP TABLE refunds;
DROP INDEX payments_suspense;
DROP INDEX payments_settled;
ALTER TABLE payments ALTER COLUMN channel TYPE text, DROP COLUMN refunding;
DROP INDEX orders_remind;
ALTER TABLE orders DROP COLUMN remind_at, DROP COLUMN extra, DROP COLUMN refunding;
ALTER TABLE shops DROP COLUMN policies;
