-- Coupons by template, and those that will expire.
--
-- expire_at is when a coupon that is available or locked runs out of its
-- validity; it is NULL for those that never do, and for those that are over.
-- An index on the status itself would have every index of coupons written each
-- time that an order locks or releases one (such an update is no longer
-- HOT); this one is written when a coupon is issued and when it is over.
--
-- It takes one pass over coupons, which writes those that will expire, and two
-- to make the indexes, while nobody writes. What it costs the road: a coupon
-- that is issued enters one index more, two if it expires; locking and
-- releasing it costs what it did. As before all indexes are partial, so that
-- none is a candidate for a look-up by a primary key.

-- +goose Up

ALTER TABLE coupons
    ADD COLUMN expire_at timestamptz,
    ALTER COLUMN template_id TYPE text COLLATE "C"; -- a key now; no row is rewritten for it
UPDATE coupons SET expire_at = valid_until WHERE status IN ('available', 'locked') AND valid_until IS NOT NULL;
CREATE INDEX coupons_expiring ON coupons (shop, expire_at, code) WHERE expire_at IS NOT NULL;
CREATE INDEX coupons_template ON coupons (shop, template_id, code) WHERE template_id <> '';

-- A template without a supply does not count any more.
UPDATE coupon_templates SET issued = 0 WHERE coalesce((doc->>'supply')::bigint, 0) = 0;

-- +goose Down

UPDATE coupon_templates AS t SET issued = (
    SELECT count(*) FROM coupons AS c WHERE c.shop = t.shop AND c.template_id = t.template_id AND c.template_id <> '');
DROP INDEX coupons_template;
DROP INDEX coupons_expiring;
ALTER TABLE coupons ALTER COLUMN template_id TYPE text, DROP COLUMN expire_at;
