"""Adapters: one folder per chain partner with an API of its own. What is asked and answered becomes messages.

An adapter takes the mail of its partner, calls the partner's API (idempotent by the message's id), submits the
answer as a message with its adapter key over the SHA-256 of the raw answer, and then signs the receipt. Each folder
translates one partner's words and nothing else; `runner` does what all have in common.
"""
