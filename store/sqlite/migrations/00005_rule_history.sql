-- Every version of every promotion and coupon template, so that an order can
-- be priced again by the rules that priced it. What is in force when this
-- runs is the history's beginning: orders placed before it say nothing of
-- what they were priced from, and nobody looks further back.

-- +goose Up
CREATE TABLE rule_history (
    shop    TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    since   INTEGER NOT NULL, -- the shop's rules_version from which on it holds
    version INTEGER NOT NULL,
    doc     TEXT,             -- NULL: deleted
    at      INTEGER,
    PRIMARY KEY (shop, kind, id, since),
    CONSTRAINT rule_history_kind CHECK (kind IN ('promotion', 'template'))
) STRICT;
CREATE INDEX rule_history_order ON rule_history (shop, since, kind, id);
INSERT INTO rule_history (shop, kind, id, since, version, doc)
    SELECT p.shop, 'promotion', p.promotion_id, s.rules_version, p.version, p.doc FROM promotions AS p JOIN shops AS s ON s.shop = p.shop;
INSERT INTO rule_history (shop, kind, id, since, version, doc)
    SELECT t.shop, 'template', t.template_id, s.rules_version, t.version, t.doc FROM coupon_templates AS t JOIN shops AS s ON s.shop = t.shop;

-- +goose Down
DROP TABLE rule_history;
