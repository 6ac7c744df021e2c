"""What belongs to a learner: her vault (datakluis), and the software with which she reads it.

A vault has two drawers. *Copies* holds the sealed afschriften and nothing else; the platform may only add to it.
*Profile* holds all the rest: her profile (sealed), messages that wait for their copy, grants, chosen end dates.
A provider keeps vaults for several learners and reads none: keys are made on the learner's side (`owner`).
Who delivers or reads does so under a grant of the owner: who, what for, until which day; revoked at once.
Invariants: a copy is never overwritten; a token is stored as a hash; nothing here opens a copy but `owner`.
"""
