-- Files on their way: what is stored is a JWE of its sender, sealed once more under a key of its own. The bytes come
-- last, so that reading the other columns never reads them.

CREATE TABLE files (
    partition BIGINT NOT NULL,
    process TEXT NOT NULL,
    hash TEXT NOT NULL, -- SHA-256 of the JWE: its address, and the scope of its key
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    keyclass TEXT NOT NULL CHECK (keyclass IN ('post', 'parcel', 'special')),
    source TEXT NOT NULL, -- with `id` the message that names it; empty: none yet
    id TEXT NOT NULL,
    size BIGINT NOT NULL, -- of the JWE; 0: it has ended, and the row says so
    end_ms BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (partition, process, hash)
);
CREATE INDEX files_hash ON files (hash);
CREATE INDEX files_waiting ON files (sender, id);
CREATE INDEX files_end ON files (end_ms);
