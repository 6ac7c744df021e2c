"""eduID, played: an OpenID Connect provider with per-service pseudonyms, and the remote-creation calls.

Log-in clients see a random UUID per service, for good; the signing client sees a `sub` that is new per call and
no other claim, so a signature tells nobody who else she is. The seven `/api/remote-creation/` calls have the
paths, fields, status codes and error bodies of OpenConext-myconext (fe570c3), which Studielink calls today.
Assurance (`acr`) uses eduID's own names. Unlike the real one, error bodies never repeat what was asked.
"""
