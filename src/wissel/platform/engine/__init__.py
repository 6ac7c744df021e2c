"""The engine: durable execution of stories. It leans on the database for everything hard.

A round takes due events and timers, loads their processes in one query, decides, signs and seals, and commits each
process's unit (all in one sync). A decision that fails sets its process aside; the round goes on without it.
Words: round, event, timer, decided, set aside. The engine knows stories only by `messages.process.Process`.
"""
