-- Orders may be drafts, which expire like those that wait for their money.
-- Checking the new constraint and making the index read orders once, while
-- nobody writes.

-- +goose Up

ALTER TABLE orders DROP CONSTRAINT orders_status, ADD CONSTRAINT orders_status
    CHECK (status IN ('draft', 'pending_payment', 'partially_paid', 'payment_failed', 'paid', 'closed', 'refunded'));
DROP INDEX orders_due;
CREATE INDEX orders_due ON orders (shop, expires_at)
    WHERE status IN ('draft', 'pending_payment', 'partially_paid', 'payment_failed') AND closing = '';

-- +goose Down

-- A draft goes, with its events and keys: it holds nothing, and nothing else
-- knows of it. One that was discarded stays, a closed order that held nothing.
DELETE FROM idempotency_keys AS k USING orders AS o WHERE o.shop = k.shop AND o.order_no = k.order_no AND o.status = 'draft';
DELETE FROM events AS e USING orders AS o WHERE o.shop = e.shop AND o.order_no = e.order_no AND o.status = 'draft';
DELETE FROM orders WHERE status = 'draft';
ALTER TABLE orders DROP CONSTRAINT orders_status, ADD CONSTRAINT orders_status
    CHECK (status IN ('pending_payment', 'partially_paid', 'payment_failed', 'paid', 'closed', 'refunded'));
DROP INDEX orders_due;
CREATE INDEX orders_due ON orders (shop, expires_at)
    WHERE status IN ('pending_payment', 'partially_paid', 'payment_failed') AND closing = '';
