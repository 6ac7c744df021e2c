"""What the house says about itself: structured log lines without payload, names, numbers or addresses."""

from wissel.infra.telemetry.log import JsonLog, Log, SilentLog

__all__ = ["JsonLog", "Log", "SilentLog"]
