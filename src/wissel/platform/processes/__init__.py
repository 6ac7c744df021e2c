"""The stories that messages tell: one folder each, pure, known to the engine only by `messages.process.Process`.

A story is two things: judgements (`story`) that read content and dated rules and answer with one label of a closed
set, and a `table` of (phase, event, label) -> (phase, effects). No clock, I/O or chance in either.
"""
