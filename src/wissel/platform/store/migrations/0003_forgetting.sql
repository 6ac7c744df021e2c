-- Forgetting: data keys in wrapped form, orders to destroy, canaries. Nothing here opens anything by itself: a
-- wrapped key needs the day key and the slot, which lie in the key store, outside every database.

CREATE TABLE data_keys (
    partition BIGINT NOT NULL,
    process TEXT NOT NULL,
    class TEXT NOT NULL,
    scope TEXT NOT NULL, -- empty, or the message (source and id) that has a key of its own
    day TEXT NOT NULL, -- the last Dutch day on which the key may exist
    slot BIGINT NOT NULL,
    wrapped BYTEA NOT NULL,
    made_ms BIGINT NOT NULL,
    PRIMARY KEY (partition, process, class, scope)
);
CREATE INDEX data_keys_day ON data_keys (day, made_ms);

-- A row goes, and the leaf is written, when the slot is zero on the disk.
CREATE TABLE destroy_orders (
    partition BIGINT NOT NULL,
    day TEXT NOT NULL,
    slot BIGINT NOT NULL,
    process TEXT NOT NULL,
    class TEXT NOT NULL,
    scope TEXT NOT NULL,
    reason TEXT NOT NULL,
    made_ms BIGINT NOT NULL,
    ordered_ms BIGINT NOT NULL,
    PRIMARY KEY (partition, day, slot)
);
CREATE INDEX destroy_orders_age ON destroy_orders (ordered_ms);

CREATE TABLE canaries (
    day TEXT PRIMARY KEY,
    sealed BYTEA NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('alive', 'ending', 'dead', 'failed'))
);

-- How far the ending of days is: at most one row.
CREATE TABLE day_watch (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    state TEXT NOT NULL,
    day TEXT NOT NULL,
    asked_ms BIGINT NOT NULL,
    witness_ms BIGINT NOT NULL,
    through TEXT NOT NULL
);
