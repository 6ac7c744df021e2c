"""The list of exceptions to the budgets: each stands with its reason, and one that is not needed any more fails."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

LIST: Final = Path(__file__).with_name("exceptions.toml")


@cache
def exceptions() -> Mapping[str, Mapping[str, str]]:
    """Per budget: what is excepted ("path" or "path::function"), and why."""
    with LIST.open("rb") as file:
        return tomllib.load(file)


def only_excepted(budget: str, found: Iterable[str]) -> None:
    """Fail when something of `found` is not in the list, or when the list names what is no longer found."""
    allowed, seen = exceptions().get(budget, {}), set(found)
    extra, spent = sorted(seen - set(allowed)), sorted(set(allowed) - seen)
    assert not extra, f"{budget}: mend these, or argue for them in {LIST.name}:\n" + "\n".join(extra)
    assert not spent, f"{budget}: no longer needed, take them out of {LIST.name}:\n" + "\n".join(spent)
