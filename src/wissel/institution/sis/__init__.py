"""The student information system (SIS), seen from the connector: a port, and a small sample behind it.

*Student*: a person with a student number. *Registration*: one request or enrolment of a process. *Decision*: what
the institution decided on it, by which role. Invariant: a change and the id under which it came are one transaction,
so the same change twice is one change.
"""
