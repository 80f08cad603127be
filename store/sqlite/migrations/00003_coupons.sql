-- Coupons by template, and those that will expire.
--
-- expire_at is when a coupon that is available or locked runs out of its
-- validity; it is NULL for those that never do, and for those that are over.
-- An index on the status itself would be written each time that an order locks
-- or releases a coupon; this one is when it is issued and when it is over.
--
-- What it costs the road: a coupon that is issued enters one index more, two
-- if it expires; locking and releasing it costs what it did.

-- +goose Up
ALTER TABLE coupons ADD COLUMN expire_at INTEGER;
UPDATE coupons SET expire_at = valid_until WHERE status IN ('available', 'locked') AND valid_until IS NOT NULL;
CREATE INDEX coupons_expiring ON coupons (shop, expire_at) WHERE expire_at IS NOT NULL;
CREATE INDEX coupons_template ON coupons (shop, template_id, code) WHERE template_id <> '';

-- A template without a supply does not count any more.
UPDATE coupon_templates SET issued = 0 WHERE coalesce(json_extract(doc, '$.supply'), 0) = 0;

-- +goose Down
UPDATE coupon_templates SET issued = (
    SELECT count(*) FROM coupons AS c WHERE c.shop = coupon_templates.shop AND c.template_id = coupon_templates.template_id AND c.template_id <> '');
DROP INDEX coupons_template;
DROP INDEX coupons_expiring;
ALTER TABLE coupons DROP COLUMN expire_at;
