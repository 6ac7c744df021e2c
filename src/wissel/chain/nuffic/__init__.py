"""Nuffic, played: an advice on what a foreign diploma is worth (WHW 7.28). An advice, never a decision.

Nuffic publishes no machine interface for this that could be found, so the interface is our invention: JSON over
HTTP, an API key, problem+json, idempotent by the case's own id, each answer signed by Nuffic. An advice takes
time: a case is `received`, later `given`, and stays as it was given. No person is named, only the diploma.
"""
