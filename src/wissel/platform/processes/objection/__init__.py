"""Objection (bezwaar): received and passed on, from the copies of its parties, also weeks after they were forgotten."""

from wissel.platform.processes.objection.process import Objection

__all__ = ["Objection"]
