"""DUO, played: identity by the BRP, the register of diplomas and degrees, and the register of enrolments.

DUO publishes no machine interface for this that could be found, so the interface is our invention: JSON over
HTTP, an API key, problem+json, idempotent by the request's or delivery's own id, each answer signed by DUO.
Invariants: one delivery id has one content and one receipt for ever; one enrolment (person, institution,
programme, form, study year) is in the register once; an ending needs an enrolment. The book is DUO's own.
"""
