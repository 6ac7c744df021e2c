"""Forgetting: what is over becomes unreadable, because the keys that sealed it are destroyed.

Words: a *data key* seals one class of one process; it is wrapped under the *day key* of its end day and a
*slot* of its own (32 random bytes), both in the *key store*, outside every database. Ending early zeroes the
slot; a day that passes loses its day key and all its slots. A *canary* per day must fail to open afterwards.

Invariants: a key is durable before what it seals; data is ended before its key is destroyed; a slot number is
handed out once, whatever happens to the database; a zero slot is an error, never a key.
"""
