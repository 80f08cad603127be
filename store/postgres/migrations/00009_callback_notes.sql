-- What is kept of callbacks that are not kept whole: refused ones, of which
-- each channel has so many, and repeats, which are counted. Programs that do
-- not know the table may use the others.

-- +goose Up

CREATE TABLE callback_notes (
    shop       text COLLATE "C" NOT NULL,
    id         text COLLATE "C" NOT NULL,
    channel    text NOT NULL,
    order_no   text COLLATE "C" NOT NULL,
    payment_no text COLLATE "C" NOT NULL,
    stage      text NOT NULL,
    reason     text NOT NULL,
    serial     text NOT NULL,
    remote     text NOT NULL,
    request_id text NOT NULL,
    at         timestamptz,
    times      bigint NOT NULL,
    version    bigint NOT NULL,
    PRIMARY KEY (shop, id)
);
CREATE INDEX callback_notes_at ON callback_notes (shop, at) WHERE times = 0;
CREATE INDEX callback_notes_order ON callback_notes (shop, order_no, at) WHERE times > 0;

-- +goose Down

DROP TABLE callback_notes;
