"""Ending keys early: statements for the caller's unit. What is committed here, `Destroyer` carries out.

This room holds of a person only the ids of her processes and messages, beside wrapped keys; the rows go with
the keys.
"""

from collections.abc import Sequence
from datetime import datetime

from wissel.core.ids import partition_of
from wissel.core.moments import to_ms
from wissel.infra.sql.ports import Statement
from wissel.platform.forgetting.store import delete_keys, insert_orders, order_class
from wissel.platform.forgetting.words import KeyClass, KeyRow, Reason


def order_destroy(rows: Sequence[KeyRow], reason: Reason, now: datetime) -> list[Statement]:
    """Return the statements that end these keys: put them in the unit that ends their data.

    The unit is a Conflict when a row was dropped or moved meanwhile: read again and decide again.
    """
    if not rows:
        return []
    return [delete_keys(rows), insert_orders(rows, reason, to_ms(now))]


def order_destroy_class(process: str, classes: Sequence[KeyClass], reason: Reason, now: datetime) -> list[Statement]:
    """Return the statements that end all keys of these classes of a process, without reading them first."""
    partition = partition_of(process)
    return [statement for cls in classes for statement in order_class(partition, process, cls, reason, to_ms(now))]
