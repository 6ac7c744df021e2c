"""The switch itself: accept, route, mailboxes, delivery, copies, end dates.

Invariants: nothing is half accepted; only ciphertext reaches a disk; an answer comes after the commit; the next
message of a lane is offered when the one before has its final outcome; a copy is made once and kept by its owner.
Words: submission, acknowledgement, lane, outcome, receipt, afschrift, parcel.
"""
