"""IND, played: is somebody's stay in the Netherlands lawful on a day (WHW 7.32(5))?

IND publishes no machine interface for this that could be found, so the interface is our invention: JSON over
HTTP, an API key, problem+json, idempotent by the request's own id, each answer signed by IND. Invariant: an
answer that was given to a request id is given again. A question that needs looking into answers `pending`.
"""
