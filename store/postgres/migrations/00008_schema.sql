-- The tables say which programs may use them: those that know the schema at
-- least up to the newest row. A migration after which older programs must not
-- write adds a row with its own version; one that only adds what they can
-- ignore adds none.

-- +goose Up

CREATE TABLE schema_requires (
    version bigint PRIMARY KEY
);
INSERT INTO schema_requires VALUES (8);

-- +goose Down

DROP TABLE schema_requires;
