"""A place at the portal for who has no vault: what comes for her waits there, sealed to her own key, until she comes.

The portal is then who signs for her: its receipt says that she has downloaded a message. It opens nothing, for it
has no key; it deletes what she downloaded, and at its end the place with all that is left. docs/vault.md tells both
sides. Words: place (one per process that she began), item (a message or a copy), download, receipt.
"""
