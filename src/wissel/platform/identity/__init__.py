"""Who the learner at a portal is: her log-in there, checked anew at each call, and the index of what runs for her.

Words: learner token (the id_token of her log-in at the calling portal), pseudonym (her `sub` at that portal),
index (from a keyed hash of issuer, portal and pseudonym to a running process). Invariants: a token is good for the
portal whose log-in client it was made for and for nobody else; what signs a message never logs in; no pseudonym
is kept, only its hash under a key that dies with the process's end day.
"""
