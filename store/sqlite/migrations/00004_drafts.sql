-- Orders may be drafts, which expire like those that wait for their money.
--
-- SQLite cannot alter a CHECK. Making the table anew would write every order;
-- one that only admits more changes nothing that is stored, and for that
-- there is the way that lang_altertable.html ends with: to edit the text of
-- the table in sqlite_schema. The index that is made beside it has all other
-- connections read the schema again, RESET this one.

-- +goose Up
DROP INDEX orders_due;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '(status IN (''pending_payment'',', '(status IN (''draft'', ''pending_payment'',')
    WHERE type = 'table' AND name = 'orders';
PRAGMA writable_schema = RESET;
CREATE INDEX orders_due ON orders (shop, expires_at)
    WHERE status IN ('draft', 'pending_payment', 'partially_paid', 'payment_failed') AND closing = '';

-- +goose Down
-- A draft goes, with its events and keys: it holds nothing, and nothing else
-- knows of it. One that was discarded stays, a closed order that held nothing.
DELETE FROM idempotency_keys WHERE (shop, order_no) IN (SELECT shop, order_no FROM orders WHERE status = 'draft');
DELETE FROM events WHERE (shop, order_no) IN (SELECT shop, order_no FROM orders WHERE status = 'draft');
DELETE FROM orders WHERE status = 'draft';
DROP INDEX orders_due;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '(status IN (''draft'', ''pending_payment'',', '(status IN (''pending_payment'',')
    WHERE type = 'table' AND name = 'orders';
PRAGMA writable_schema = RESET;
CREATE INDEX orders_due ON orders (shop, expires_at)
    WHERE status IN ('pending_payment', 'partially_paid', 'payment_failed') AND closing = '';
