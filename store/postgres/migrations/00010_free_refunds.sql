-- A refund of 0: units that cost nothing go back.

-- +goose Up
ALTER TABLE refunds DROP CONSTRAINT refunds_amount, ADD CONSTRAINT refunds_amount CHECK (amount >= 0);

-- An older program would not give back what orders counted.
INSERT INTO schema_requires VALUES (10);

-- +goose Down
DELETE FROM schema_requires WHERE version = 10;
DELETE FROM refunds WHERE amount = 0;
ALTER TABLE refunds DROP CONSTRAINT refunds_amount, ADD CONSTRAINT refunds_amount CHECK (amount > 0);
