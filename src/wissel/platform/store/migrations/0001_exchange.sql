-- What is under way: processes, their messages, mail, timers and copies. Rows go when a process is forgotten.
-- Columns in clear are listed, with reason and lifetime, in docs/forgetting.md.

CREATE TABLE participants (
    urn TEXT PRIMARY KEY,
    card BYTEA NOT NULL,
    leaf BYTEA NOT NULL
);

CREATE TABLE participant_keys (
    kid TEXT PRIMARY KEY,
    urn TEXT NOT NULL,
    leaf BYTEA NOT NULL,
    revoked_leaf BYTEA,
    revoked_ms BIGINT
);

CREATE TABLE processes (
    partition BIGINT NOT NULL,
    process TEXT NOT NULL,
    kind TEXT NOT NULL,
    version TEXT NOT NULL,
    phase TEXT NOT NULL,
    life TEXT NOT NULL,
    subject TEXT NOT NULL,
    portal TEXT NOT NULL,
    institution TEXT NOT NULL,
    opening TEXT NOT NULL,
    state BYTEA NOT NULL,
    revision BIGINT NOT NULL,
    started_ms BIGINT NOT NULL,
    end_day TEXT NOT NULL,
    PRIMARY KEY (partition, process)
);
CREATE INDEX processes_life ON processes (life, partition);

CREATE TABLE messages (
    partition BIGINT NOT NULL,
    process TEXT NOT NULL,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    recipient TEXT NOT NULL,
    type TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    commitment TEXT NOT NULL,
    own TEXT NOT NULL, -- the class of the key of its own, or empty: the process's post key
    sealed BYTEA NOT NULL,
    apart BYTEA NOT NULL,
    receipt BYTEA NOT NULL,
    stage TEXT NOT NULL,
    outcome TEXT NOT NULL,
    accepted_ms BIGINT NOT NULL,
    ended_ms BIGINT NOT NULL,
    end_ms BIGINT NOT NULL,
    leaf BYTEA NOT NULL,
    outcome_leaf BYTEA NOT NULL,
    PRIMARY KEY (partition, process, source, id)
);
CREATE UNIQUE INDEX messages_sequence ON messages (partition, process, source, recipient, sequence);
CREATE INDEX messages_stage ON messages (stage, ended_ms);

CREATE TABLE dedup (
    partition BIGINT NOT NULL,
    process TEXT NOT NULL,
    key BYTEA NOT NULL,
    digest BYTEA NOT NULL,
    answer TEXT NOT NULL,
    until_ms BIGINT NOT NULL,
    PRIMARY KEY (partition, process, key)
);
CREATE INDEX dedup_until ON dedup (until_ms);

CREATE TABLE events (
    partition BIGINT NOT NULL,
    process TEXT NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (partition, process, key)
);
CREATE INDEX events_at ON events (at_ms);

CREATE TABLE timers (
    partition BIGINT NOT NULL,
    process TEXT NOT NULL,
    name TEXT NOT NULL,
    due_ms BIGINT NOT NULL,
    PRIMARY KEY (partition, process, name)
);
CREATE INDEX timers_due ON timers (due_ms);

CREATE TABLE setaside (
    partition BIGINT NOT NULL,
    process TEXT NOT NULL,
    code TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (partition, process)
);

CREATE TABLE mail (
    partition BIGINT NOT NULL,
    process TEXT NOT NULL,
    receiver TEXT NOT NULL,
    position BIGINT NOT NULL,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    due_ms BIGINT NOT NULL,
    end_ms BIGINT NOT NULL,
    PRIMARY KEY (partition, process, receiver, position)
);
CREATE INDEX mail_receiver ON mail (receiver, due_ms);
CREATE INDEX mail_end ON mail (end_ms);

CREATE TABLE parties (
    partition BIGINT NOT NULL,
    process TEXT NOT NULL,
    party TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (partition, process, party)
);

CREATE TABLE parcels (
    partition BIGINT NOT NULL,
    process TEXT NOT NULL,
    party TEXT NOT NULL,
    commitment TEXT NOT NULL,
    host BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    attempts BIGINT NOT NULL,
    due_ms BIGINT NOT NULL,
    until_ms BIGINT NOT NULL,
    PRIMARY KEY (partition, process, party, commitment)
);
CREATE INDEX parcels_due ON parcels (due_ms);

CREATE TABLE pending_leaves (
    leaf BYTEA PRIMARY KEY,
    entry BYTEA NOT NULL,
    at_ms BIGINT NOT NULL
);
CREATE INDEX pending_leaves_at ON pending_leaves (at_ms);
