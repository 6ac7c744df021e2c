-- Which running process is a learner's own: HMAC-SHA256(index key of the end day, issuer, portal, pseudonym).
-- A row goes when its process is settled; its key dies with the end day.

CREATE TABLE learner_index (
    partition BIGINT NOT NULL,
    process TEXT NOT NULL,
    name BYTEA NOT NULL,
    PRIMARY KEY (partition, process)
);
CREATE INDEX learner_index_name ON learner_index (name);
