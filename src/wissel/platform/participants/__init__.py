"""Who may speak: organisations, their roles, keys, endpoints and standing grants. No person is named here.

A participant makes itself known by a card. Every key on a card becomes a leaf of the audit log, so that what
it signed can be checked long after it was replaced. Words: card, key, standing grant, revoke.
"""
