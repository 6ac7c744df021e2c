-- The audit register: a C2SP tlog-tiles log in tables. `log` counts the logs of this platform: 1, and one more
-- for each reopening after a restore. Exactly one is open. No personal data: entries are salted metadata.

CREATE TABLE log_state (
    log BIGINT PRIMARY KEY,
    origin TEXT NOT NULL UNIQUE,
    size BIGINT NOT NULL,
    root BYTEA NOT NULL,
    minimum BIGINT NOT NULL, -- entries below this index were pruned under the written policy
    state TEXT NOT NULL CHECK (state IN ('open', 'closed'))
);

CREATE UNIQUE INDEX log_state_one_open ON log_state (state) WHERE state = 'open';

CREATE TABLE log_entries (
    log BIGINT NOT NULL,
    idx BIGINT NOT NULL,
    leaf BYTEA NOT NULL, -- the id its maker drew; what a proof is asked by
    leaf_hash BYTEA NOT NULL,
    entry BYTEA NOT NULL,
    at_ms BIGINT NOT NULL,
    process TEXT, -- copied out of the entry, so that a process can be replayed without reading the whole log
    PRIMARY KEY (log, idx)
);

-- Not unique: a leaf id used twice is logged twice, and never holds up the log.
CREATE INDEX log_entries_leaf ON log_entries (leaf, log, idx);

CREATE INDEX log_entries_process ON log_entries (process, log, idx);

-- A partial tile is a prefix of the tile that grows from it, so one row serves every width.
CREATE TABLE log_tiles (
    log BIGINT NOT NULL,
    level BIGINT NOT NULL,
    n BIGINT NOT NULL,
    width BIGINT NOT NULL,
    hashes BYTEA NOT NULL,
    PRIMARY KEY (log, level, n)
);

CREATE TABLE log_checkpoints (
    log BIGINT NOT NULL,
    size BIGINT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (log, size)
);

CREATE TABLE log_cosignatures (
    log BIGINT NOT NULL,
    size BIGINT NOT NULL,
    witness TEXT NOT NULL,
    line TEXT NOT NULL,
    at_ms BIGINT NOT NULL, -- the time the witness signed
    PRIMARY KEY (log, size, witness)
);

-- What is known of each witness: the size it last said or signed, and when to ask again.
CREATE TABLE log_witnesses (
    log BIGINT NOT NULL,
    witness TEXT NOT NULL,
    size BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    due_ms BIGINT NOT NULL,
    quarrel TEXT NOT NULL, -- empty, 'ahead' or 'disagrees'
    PRIMARY KEY (log, witness)
);
