"""The connector: it pulls or is pushed to, verifies, books, decides what a rule may, and answers with a signed receipt.

*Case*: what is known of one learner's request while it runs. *Task*: what waits for a person. *Lane*: what goes to one
receiver in one process, in order. Invariants: a message's effect, its receipt and its id are one transaction of the
connector's book; the SIS and the financial system book the same id once; the same message again gets the same
receipt, byte for byte; a refusal is never a rule's. `rules` is what the institution says, `actions` what it hears.
"""
