"""The audit trail: what happened can be proven, not who it happened to (architecture section 7).

An RFC 6962 tree kept as C2SP tlog-tiles. *Leaf*: one salted metadata entry. *Pending*: written with what it
records, no index yet. *Sequencer*: gives indexes. *Checkpoint*: a signed tree head. *Witness*: cosigns one.
*Highest*: the highest checkpoint ever signed, kept in the key store, outside the database.
Invariants: indexes are dense; entries, tiles and head change in one commit; only what is committed is signed;
what is signed is kept before it is published; no published checkpoint is ever contradicted; a database that is
behind or does not fit a known checkpoint serves read-only and signs nothing.
"""
