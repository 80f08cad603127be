-- Jobs (calls to the outside) are rows of their shops, written with the change
-- that wants them, where they were kept by a job queue of its own, River, in
-- tables that know no shop. Jobs that wait and jobs that are parked come over;
-- the queue's own tables stay, empty, for a way back.

-- +goose Up

CREATE TABLE jobs (
    shop       text COLLATE "C" NOT NULL,
    job_id     text COLLATE "C" NOT NULL, -- in the order in which they were made
    kind       text NOT NULL,
    payment_no text NOT NULL,
    refund_no  text NOT NULL,
    due_at     timestamptz NOT NULL,
    attempts   bigint NOT NULL CONSTRAINT jobs_attempts CHECK (attempts >= 0),
    error      text NOT NULL,
    created_at timestamptz NOT NULL,
    parked_at  timestamptz,
    trace      text NOT NULL,
    version    bigint NOT NULL,
    PRIMARY KEY (shop, job_id)
) WITH (fillfactor = 80);
CREATE INDEX jobs_due ON jobs (shop, due_at, job_id) WHERE parked_at IS NULL;
CREATE INDEX jobs_parked ON jobs (shop, job_id) WHERE parked_at IS NOT NULL;

-- +goose StatementBegin
DO $$ BEGIN
    IF to_regclass('river_job') IS NOT NULL THEN
        INSERT INTO jobs (shop, job_id, kind, payment_no, refund_no, due_at, attempts, error, created_at, parked_at, trace, version)
            SELECT args ->> 'shop', 'r' || lpad(id::text, 19, '0'), args ->> 'kind', coalesce(args ->> 'payment', ''), coalesce(args ->> 'refund', ''),
                scheduled_at, attempt, coalesce(errors[cardinality(errors)] ->> 'error', ''), created_at,
                CASE WHEN state = 'discarded' THEN coalesce(finalized_at, scheduled_at) END, coalesce(args ->> 'trace', ''), 1
            FROM river_job WHERE kind = 'effect' AND state NOT IN ('completed', 'cancelled');
        DELETE FROM river_job WHERE kind = 'effect';
    END IF;
END $$;
-- +goose StatementEnd

-- +goose Down

-- +goose StatementBegin
DO $$ BEGIN
    IF to_regclass('river_job') IS NOT NULL THEN
        INSERT INTO river_job (args, kind, queue, state, attempt, max_attempts, scheduled_at, created_at, finalized_at)
            SELECT jsonb_build_object('shop', shop, 'kind', kind, 'payment', payment_no, 'refund', refund_no, 'trace', trace), 'effect', 'effects',
                CASE WHEN parked_at IS NULL THEN 'available' ELSE 'discarded' END::river_job_state, least(attempts, 12), 12, due_at, created_at, parked_at
            FROM jobs;
    END IF;
END $$;
-- +goose StatementEnd
DROP TABLE jobs;
