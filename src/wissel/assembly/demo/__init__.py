"""The demo: every owner on one machine, each in its own process, port and folder, and one enrolment played out.

`setup` makes folders, keys, cards and settings; `processes` starts and ends the owners; `play` is the learner;
`screen` shows who said what to whom; `proof` looks afterwards: copies, log, and that nothing can be read any more.
"""
