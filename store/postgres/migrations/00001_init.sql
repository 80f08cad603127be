-- Every primary key begins with the shop, and every statement names one
-- shop: that keeps tenants apart, and lets a sharded PostgreSQL route by it.
--
-- There are no foreign keys. The road loads and locks whole aggregates and
-- writes them together; a foreign key would look up the same rows again, once
-- for every row. What a single row can be checked for stands in its table.
--
-- Keys are compared byte by byte (COLLATE "C"): rows are locked in the order
-- in which Go sorts their keys, and lists come in the same order everywhere.
--
-- Where the road looks rows up, the indexes beside the primary key are
-- partial, some with a condition that is always true: then no look-up by a
-- primary key can be planned with them, which on an empty table would seem
-- to cost the same. What wants such an index repeats the condition.
--
-- A zero time is NULL. Documents are json, not jsonb: nothing here looks
-- inside them, and json gives back the bytes that were stored.

-- +goose Up

CREATE TABLE shops (
    shop          text COLLATE "C" NOT NULL,
    name          text NOT NULL,
    currency      text NOT NULL,
    rules_version bigint NOT NULL DEFAULT 0,
    created_at    timestamptz,
    PRIMARY KEY (shop)
);

CREATE TABLE secrets (
    shop  text COLLATE "C" NOT NULL DEFAULT '',
    name  text COLLATE "C" NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (shop, name)
);

CREATE TABLE api_keys (
    shop       text COLLATE "C" NOT NULL,
    key_id     text COLLATE "C" NOT NULL,
    hash       bytea NOT NULL,
    label      text NOT NULL,
    created_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (shop, key_id)
);
CREATE INDEX api_keys_hash ON api_keys (hash);

CREATE TABLE channels (
    shop       text COLLATE "C" NOT NULL,
    name       text COLLATE "C" NOT NULL,
    kind       text NOT NULL,
    sealed     bytea,
    version    bigint NOT NULL,
    updated_at timestamptz,
    PRIMARY KEY (shop, name)
);

CREATE TABLE users (
    shop    text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    level   text NOT NULL,
    tags    json NOT NULL,
    blocked boolean NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (shop, user_id)
);

-- Stock moves with every order. Half of each page is left free so that a new
-- version of a row finds room on its own page and no index is touched.
CREATE TABLE skus (
    shop         text COLLATE "C" NOT NULL,
    sku          text COLLATE "C" NOT NULL,
    name         text NOT NULL,
    price        bigint NOT NULL CONSTRAINT skus_price CHECK (price >= 0),
    categories   json NOT NULL,
    on_hand      bigint NOT NULL,
    reserved     bigint NOT NULL CONSTRAINT skus_reserved CHECK (reserved >= 0),
    max_per_user bigint NOT NULL,
    version      bigint NOT NULL,
    PRIMARY KEY (shop, sku),
    CONSTRAINT skus_no_oversell CHECK (reserved <= on_hand)
) WITH (fillfactor = 50);

CREATE TABLE promotions (
    shop         text COLLATE "C" NOT NULL,
    promotion_id text COLLATE "C" NOT NULL,
    doc          json NOT NULL,
    version      bigint NOT NULL,
    PRIMARY KEY (shop, promotion_id)
);

CREATE TABLE coupon_templates (
    shop        text COLLATE "C" NOT NULL,
    template_id text COLLATE "C" NOT NULL,
    doc         json NOT NULL,
    issued      bigint NOT NULL CONSTRAINT coupon_templates_issued CHECK (issued >= 0),
    version     bigint NOT NULL,
    PRIMARY KEY (shop, template_id)
);

CREATE TABLE coupons (
    shop         text COLLATE "C" NOT NULL,
    code         text COLLATE "C" NOT NULL,
    template_id  text NOT NULL,
    user_id      text COLLATE "C" NOT NULL,
    status       text NOT NULL CONSTRAINT coupons_status
                 CHECK (status IN ('available', 'locked', 'used', 'expired', 'revoked')),
    order_no     text NOT NULL,
    locked_until timestamptz,
    valid_from   timestamptz,
    valid_until  timestamptz,
    issued_at    timestamptz,
    version      bigint NOT NULL,
    PRIMARY KEY (shop, code),
    CONSTRAINT coupons_holder CHECK ((status IN ('locked', 'used')) = (order_no <> ''))
) WITH (fillfactor = 70);
CREATE INDEX coupons_user ON coupons (shop, user_id, code) WHERE user_id <> '';

CREATE TABLE counters (
    shop  text COLLATE "C" NOT NULL,
    name  text COLLATE "C" NOT NULL,
    value bigint NOT NULL CONSTRAINT counters_value CHECK (value >= 0),
    PRIMARY KEY (shop, name)
) WITH (fillfactor = 50);

CREATE TABLE orders (
    shop         text COLLATE "C" NOT NULL,
    order_no     text COLLATE "C" NOT NULL,
    user_id      text COLLATE "C" NOT NULL,
    status       text NOT NULL CONSTRAINT orders_status
                 CHECK (status IN ('pending_payment', 'partially_paid', 'payment_failed', 'paid', 'closed', 'refunded')),
    currency     text NOT NULL,
    total        bigint NOT NULL,
    discount     bigint NOT NULL,
    payable      bigint NOT NULL,
    paid         bigint NOT NULL,
    refunded     bigint NOT NULL,
    snapshot     json NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    paid_at      timestamptz,
    closed_at    timestamptz,
    close_reason text NOT NULL,
    closing      text NOT NULL,
    seq          bigint NOT NULL,
    trace        text NOT NULL,
    PRIMARY KEY (shop, order_no),
    CONSTRAINT orders_payable CHECK (payable = total - discount AND discount >= 0 AND payable >= 0),
    CONSTRAINT orders_paid_within CHECK (paid >= 0 AND paid <= payable),
    CONSTRAINT orders_paid_is_paid CHECK (status <> 'paid' OR paid = payable),
    CONSTRAINT orders_refunded_within CHECK (refunded >= 0 AND refunded <= paid)
) WITH (fillfactor = 80);
CREATE INDEX orders_user ON orders (shop, user_id, order_no) WHERE user_id <> '';
CREATE INDEX orders_due ON orders (shop, expires_at)
    WHERE status IN ('pending_payment', 'partially_paid', 'payment_failed') AND closing = '';

CREATE TABLE payments (
    shop           text COLLATE "C" NOT NULL,
    payment_no     text COLLATE "C" NOT NULL,
    order_no       text COLLATE "C" NOT NULL,
    channel        text NOT NULL,
    method         text NOT NULL,
    amount         bigint NOT NULL CONSTRAINT payments_amount CHECK (amount > 0),
    currency       text NOT NULL,
    status         text NOT NULL CONSTRAINT payments_status
                   CHECK (status IN ('created', 'pending', 'succeeded', 'failed', 'closed')),
    applied        bigint NOT NULL CONSTRAINT payments_applied CHECK (applied >= 0),
    refunded       bigint NOT NULL CONSTRAINT payments_refunded CHECK (refunded >= 0),
    merchant       text NOT NULL,
    app            text NOT NULL,
    detail         json NOT NULL,
    anomaly        text NOT NULL,
    transaction_id text NOT NULL,
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz,
    succeeded_at   timestamptz,
    closed_at      timestamptz,
    next_query_at  timestamptz,
    queries        bigint NOT NULL,
    trace          text NOT NULL,
    version        bigint NOT NULL,
    PRIMARY KEY (shop, payment_no),
    CONSTRAINT payments_within CHECK (applied + refunded <= amount)
) WITH (fillfactor = 80);
CREATE INDEX payments_order ON payments (shop, order_no) WHERE order_no <> '';
CREATE INDEX payments_due ON payments (shop, next_query_at) WHERE next_query_at IS NOT NULL;

CREATE TABLE idempotency_keys (
    shop       text COLLATE "C" NOT NULL,
    key        text COLLATE "C" NOT NULL,
    hash       bytea,
    answer     bytea,
    order_no   text NOT NULL,
    created_at timestamptz,
    PRIMARY KEY (shop, key)
);

-- The ids are handed out one by one, without a cache: of two transactions
-- that wrote about one order, one after the other, the second must have the
-- larger ids. log.go says what tx is.
CREATE SEQUENCE events_id;
CREATE TABLE events (
    shop      text COLLATE "C" NOT NULL,
    tx        bigint NOT NULL,
    id        bigint NOT NULL DEFAULT nextval('events_id'),
    order_no  text COLLATE "C" NOT NULL,
    at        timestamptz,
    trace     text NOT NULL,
    first_seq bigint NOT NULL,
    last_seq  bigint NOT NULL,
    ending    boolean NOT NULL,
    body      json NOT NULL,
    PRIMARY KEY (shop, tx, id)
);
CREATE INDEX events_order ON events (shop, order_no, id);
-- Without it a reaction that waits for the first paid order would read past
-- every placed one, again and again.
CREATE INDEX events_ending ON events (shop, tx, id) WHERE ending;

CREATE TABLE positions (
    shop     text COLLATE "C" NOT NULL,
    reaction text COLLATE "C" NOT NULL,
    tx       bigint NOT NULL,
    id       bigint NOT NULL,
    PRIMARY KEY (shop, reaction)
) WITH (fillfactor = 50);

CREATE SEQUENCE exchanges_id;
CREATE TABLE exchanges (
    shop       text COLLATE "C" NOT NULL,
    id         bigint NOT NULL DEFAULT nextval('exchanges_id'),
    order_no   text COLLATE "C" NOT NULL,
    payment_no text NOT NULL,
    channel    text NOT NULL,
    kind       text NOT NULL,
    verdict    text NOT NULL,
    detail     text NOT NULL,
    at         timestamptz,
    took_us    bigint NOT NULL,
    trace      text NOT NULL,
    header     json,
    body       bytea,
    message_id text NOT NULL,
    PRIMARY KEY (shop, id)
);
CREATE INDEX exchanges_order ON exchanges (shop, order_no, id);

-- +goose Down

DROP TABLE exchanges;
DROP SEQUENCE exchanges_id;
DROP TABLE positions;
DROP TABLE events;
DROP SEQUENCE events_id;
DROP TABLE idempotency_keys;
DROP TABLE payments;
DROP TABLE orders;
DROP TABLE counters;
DROP TABLE coupons;
DROP TABLE coupon_templates;
DROP TABLE promotions;
DROP TABLE skus;
DROP TABLE users;
DROP TABLE channels;
DROP TABLE api_keys;
DROP TABLE secrets;
DROP TABLE shops;
