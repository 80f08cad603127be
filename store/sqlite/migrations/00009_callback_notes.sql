-- What is kept of callbacks that are not kept whole: refused ones, of which
-- each channel has so many, and repeats, which are counted. Programs that do
-- not know the table may use the others.

-- +goose Up

CREATE TABLE callback_notes (
    shop       TEXT NOT NULL,
    id         TEXT NOT NULL,
    channel    TEXT NOT NULL,
    order_no   TEXT NOT NULL,
    payment_no TEXT NOT NULL,
    stage      TEXT NOT NULL,
    reason     TEXT NOT NULL,
    serial     TEXT NOT NULL,
    remote     TEXT NOT NULL,
    request_id TEXT NOT NULL,
    at         INTEGER,
    times      INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    PRIMARY KEY (shop, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX callback_notes_at ON callback_notes (shop, at) WHERE times = 0;
CREATE INDEX callback_notes_order ON callback_notes (shop, order_no, at) WHERE times > 0;

-- +goose Down

DROP TABLE callback_notes;
