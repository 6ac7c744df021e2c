"""The three things the platform may keep: the audit trail, counts across institutions, the clearinghouse.

Registers learn what happened from messages and finished facts, never from another room's tables. They hold
pairwise pseudonyms at most, never people.
"""
