-- Every primary key begins with the shop. There are no foreign keys: the
-- aggregates and the one road guard what belongs together, and the checks
-- below are the last line behind them. Amounts are minor units; times are
-- unix microseconds, NULL for one that has not come; documents are JSON.
--
-- A table is WITHOUT ROWID where its rows are small: one tree instead of a
-- table and its index. Rows of more than about 1,000 bytes would leave such a
-- tree for overflow pages, so orders, payments and documents keep theirs.

-- +goose Up
CREATE TABLE shops (
    shop          TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    currency      TEXT    NOT NULL,
    rules_version INTEGER NOT NULL DEFAULT 0,
    created_at    INTEGER,
    PRIMARY KEY (shop)
) STRICT, WITHOUT ROWID;

CREATE TABLE secrets (
    shop  TEXT NOT NULL DEFAULT '',
    name  TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (shop, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
    shop       TEXT    NOT NULL,
    key_id     TEXT    NOT NULL,
    hash       BLOB    NOT NULL,
    label      TEXT    NOT NULL,
    created_at INTEGER,
    revoked_at INTEGER,
    PRIMARY KEY (shop, key_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_hash ON api_keys (hash);

CREATE TABLE users (
    shop    TEXT    NOT NULL,
    user_id TEXT    NOT NULL,
    level   TEXT    NOT NULL,
    tags    TEXT    NOT NULL,
    blocked INTEGER NOT NULL CONSTRAINT users_blocked CHECK (blocked IN (0, 1)),
    version INTEGER NOT NULL,
    PRIMARY KEY (shop, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE skus (
    shop         TEXT    NOT NULL,
    sku          TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    price        INTEGER NOT NULL,
    categories   TEXT    NOT NULL,
    on_hand      INTEGER NOT NULL,
    reserved     INTEGER NOT NULL,
    max_per_user INTEGER NOT NULL,
    version      INTEGER NOT NULL,
    PRIMARY KEY (shop, sku),
    CONSTRAINT skus_price CHECK (price >= 0),
    CONSTRAINT skus_reserved CHECK (reserved >= 0),
    CONSTRAINT skus_no_oversell CHECK (reserved <= on_hand)
) STRICT, WITHOUT ROWID;

CREATE TABLE promotions (
    shop         TEXT    NOT NULL,
    promotion_id TEXT    NOT NULL,
    doc          TEXT    NOT NULL,
    version      INTEGER NOT NULL,
    PRIMARY KEY (shop, promotion_id)
) STRICT;

CREATE TABLE coupon_templates (
    shop        TEXT    NOT NULL,
    template_id TEXT    NOT NULL,
    doc         TEXT    NOT NULL,
    issued      INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    PRIMARY KEY (shop, template_id),
    CONSTRAINT coupon_templates_issued CHECK (issued >= 0)
) STRICT;

CREATE TABLE coupons (
    shop         TEXT    NOT NULL,
    code         TEXT    NOT NULL,
    template_id  TEXT    NOT NULL,
    user_id      TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    order_no     TEXT    NOT NULL,
    locked_until INTEGER,
    valid_from   INTEGER,
    valid_until  INTEGER,
    issued_at    INTEGER,
    version      INTEGER NOT NULL,
    PRIMARY KEY (shop, code),
    CONSTRAINT coupons_status CHECK (status IN ('available', 'locked', 'used', 'expired', 'revoked')),
    CONSTRAINT coupons_holder CHECK ((status IN ('locked', 'used')) = (order_no <> ''))
) STRICT, WITHOUT ROWID;
CREATE INDEX coupons_user ON coupons (shop, user_id, code) WHERE user_id <> '';

CREATE TABLE counters (
    shop  TEXT    NOT NULL,
    name  TEXT    NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (shop, name),
    CONSTRAINT counters_value CHECK (value >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE orders (
    shop         TEXT    NOT NULL,
    order_no     TEXT    NOT NULL,
    user_id      TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    currency     TEXT    NOT NULL,
    total        INTEGER NOT NULL,
    discount     INTEGER NOT NULL,
    payable      INTEGER NOT NULL,
    paid         INTEGER NOT NULL,
    refunded     INTEGER NOT NULL,
    snapshot     TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    paid_at      INTEGER,
    closed_at    INTEGER,
    close_reason TEXT    NOT NULL,
    closing      TEXT    NOT NULL,
    seq          INTEGER NOT NULL,
    trace        TEXT    NOT NULL,
    PRIMARY KEY (shop, order_no),
    CONSTRAINT orders_status CHECK (status IN ('pending_payment', 'partially_paid', 'payment_failed', 'paid', 'closed', 'refunded')),
    CONSTRAINT orders_payable CHECK (payable = total - discount AND discount >= 0 AND payable >= 0),
    CONSTRAINT orders_paid_within CHECK (0 <= paid AND paid <= payable),
    CONSTRAINT orders_paid_is_paid CHECK (status <> 'paid' OR paid = payable),
    CONSTRAINT orders_refunded_within CHECK (0 <= refunded AND refunded <= paid)
) STRICT;
CREATE INDEX orders_user ON orders (shop, user_id, order_no);
CREATE INDEX orders_due ON orders (shop, expires_at)
    WHERE status IN ('pending_payment', 'partially_paid', 'payment_failed') AND closing = '';

CREATE TABLE payments (
    shop           TEXT    NOT NULL,
    payment_no     TEXT    NOT NULL,
    order_no       TEXT    NOT NULL,
    channel        TEXT    NOT NULL,
    method         TEXT    NOT NULL,
    amount         INTEGER NOT NULL,
    currency       TEXT    NOT NULL,
    status         TEXT    NOT NULL,
    applied        INTEGER NOT NULL,
    refunded       INTEGER NOT NULL,
    merchant       TEXT    NOT NULL,
    app            TEXT    NOT NULL,
    detail         TEXT    NOT NULL,
    anomaly        TEXT    NOT NULL,
    transaction_id TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    expires_at     INTEGER,
    succeeded_at   INTEGER,
    closed_at      INTEGER,
    next_query_at  INTEGER,
    queries        INTEGER NOT NULL,
    trace          TEXT    NOT NULL,
    version        INTEGER NOT NULL,
    PRIMARY KEY (shop, payment_no),
    CONSTRAINT payments_status CHECK (status IN ('created', 'pending', 'succeeded', 'failed', 'closed')),
    CONSTRAINT payments_amount CHECK (amount > 0),
    CONSTRAINT payments_applied CHECK (applied >= 0),
    CONSTRAINT payments_refunded CHECK (refunded >= 0),
    CONSTRAINT payments_within CHECK (applied + refunded <= amount)
) STRICT;
CREATE INDEX payments_order ON payments (shop, order_no);
CREATE INDEX payments_due ON payments (shop, next_query_at) WHERE next_query_at IS NOT NULL;

CREATE TABLE idempotency_keys (
    shop       TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    hash       BLOB,
    answer     BLOB,
    order_no   TEXT    NOT NULL,
    created_at INTEGER,
    PRIMARY KEY (shop, key)
) STRICT;

-- The log. An index holds the rowid behind its columns, so (shop) is
-- (shop, id). AUTOINCREMENT: an id is never given twice, whatever is pruned.
CREATE TABLE events (
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
CREATE INDEX events_log ON events (shop);
CREATE INDEX events_ending ON events (shop) WHERE ending = 1;
CREATE INDEX events_order ON events (shop, order_no);

CREATE TABLE positions (
    shop     TEXT    NOT NULL,
    reaction TEXT    NOT NULL,
    tx       INTEGER NOT NULL,
    id       INTEGER NOT NULL,
    PRIMARY KEY (shop, reaction)
) STRICT, WITHOUT ROWID;

CREATE TABLE exchanges (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    shop       TEXT    NOT NULL,
    order_no   TEXT    NOT NULL,
    payment_no TEXT    NOT NULL,
    channel    TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    verdict    TEXT    NOT NULL,
    detail     TEXT    NOT NULL,
    at         INTEGER,
    took_us    INTEGER NOT NULL,
    trace      TEXT    NOT NULL,
    header     TEXT,
    body       BLOB,
    message_id TEXT    NOT NULL
) STRICT;
CREATE INDEX exchanges_order ON exchanges (shop, order_no);

CREATE TABLE channels (
    shop       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    sealed     BLOB,
    version    INTEGER NOT NULL,
    updated_at INTEGER,
    PRIMARY KEY (shop, name)
) STRICT;

-- +goose Down
DROP TABLE channels;
DROP TABLE exchanges;
DROP TABLE positions;
DROP TABLE events;
DROP TABLE idempotency_keys;
DROP TABLE payments;
DROP TABLE orders;
DROP TABLE counters;
DROP TABLE coupons;
DROP TABLE coupon_templates;
DROP TABLE promotions;
DROP TABLE skus;
DROP TABLE users;
DROP TABLE api_keys;
DROP TABLE secrets;
DROP TABLE shops;
