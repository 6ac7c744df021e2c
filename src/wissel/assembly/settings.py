"""Settings: one TOML file, or environment variables, checked whole at the start. docs/settings.md lists every one.

`WISSEL_PORT=8100` sets `port`; a dotted setting such as `partners.duo.key` is `WISSEL_PARTNERS__DUO__KEY`. The
environment wins over the file.
"""

import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, TypeVar

import msgspec

from wissel.core.errors import WisselError
from wissel.messages.envelope import Urn
from wissel.messages.participant import Role

PORT_MAX: Final = 65535
Port = Annotated[int, msgspec.Meta(ge=1, le=PORT_MAX)]
Base = Annotated[str, msgspec.Meta(pattern=r"^(https?://[^\s/?#]+)?$(?!\n)")]
Origin = Annotated[str, msgspec.Meta(pattern=r"^[^\s+]{1,200}$(?!\n)")]
_KINDS: Final = {  # what a pattern means to who reads that it does not fit
    "base": "an address without a path, such as https://wissel.example",
    "platform": "an address without a path, such as https://wissel.example",
    "origin": "a name without blanks or +, such as wissel.example/log",
    "urn": "a participant's URN, such as urn:nld:oin:00000099000000001000:systeem:wissel",
}
_FIELD: Final = re.compile(r"Object (missing required|contains unknown) field `(.+)`")
S = TypeVar("S", bound=msgspec.Struct)


class SettingWrong(WisselError):
    """A setting is missing, unknown or out of bounds. Nothing was started."""

    code: ClassVar[str] = "setting-wrong"
    status: ClassVar[int] = 400


class Partner(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the platform shows itself to a chain partner's API: an API key, or a name and password (Basic)."""

    key: str = ""
    user: str = ""
    password: str = ""


class PlatformSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `wissel serve` needs to know."""

    data: str  # the platform's own folder: database, key store, logs
    urn: Urn  # the platform's participant URN
    origin: Origin  # the audit log's origin: a name for ever, such as "wissel.example/log"
    name: str = "Wissel"
    log: str = ""  # a file for structured log lines; empty: standard output
    host: str = "127.0.0.1"
    port: Port = 8100
    base: Base = ""  # the public address, without a path; empty: http://host:port
    quorum: Annotated[int, msgspec.Meta(ge=0, le=100)] = 2  # witnesses that are enough
    log_policy: str = ""  # where the log's written retention policy can be read; empty: no entry is ever pruned
    log_keep_years: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5  # entries are pruned when they are older
    ruleset: str = "2026-27"  # the version of the rule tables that the acknowledgement names
    allow: tuple[str, ...] = ()  # address:port pairs that outbound calls may reach besides public https
    demo: bool = False  # a store made with a virtual clock; never for real data
    clock: str = ""  # with demo: the file that holds the clock's offset in seconds
    crash: str = ""  # with demo: "<point>:<n>", where the process kills itself (fault tests)
    partners: dict[Role, Partner] = {}
    running_processes_max: Annotated[int, msgspec.Meta(ge=1)] = 1_000_000
    parcel_days: Annotated[int, msgspec.Meta(ge=1, le=30)] = 30  # copies wait for a vault so long after settled
    mail_per_receiver_max: Annotated[int, msgspec.Meta(ge=1)] = 100_000
    calls_per_second: Annotated[int, msgspec.Meta(ge=1)] = 50  # per participant


class OwnerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every owner beside the platform needs to know. `cards` is the public list of participants, a JSON file."""

    data: str  # the owner's own folder
    platform: Base  # the platform's public address
    cards: str
    trust: str = (
        ""  # the trust file (log keys, witnesses, quorum) by which newer cards are checked; empty: none are taken
    )
    follow_s: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 60  # between two looks at the list of participants
    log: str = ""  # a file for structured log lines; empty: standard output
    host: str = "127.0.0.1"
    port: Port = 8000
    base: Base = ""
    allow: tuple[str, ...] = ()
    clock: str = ""  # a demo's clock file; never for real data
    crash: str = ""  # with clock: "<point>:<n>", where the process kills itself (fault tests)


class ConnectorSettings(OwnerSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `wissel connector` needs to know. `data` holds one institution, or one folder per institution served."""

    port: Port = 8200
    pulls: bool = True  # False: the platform pushes to this connector


class VaultsSettings(OwnerSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `wissel vaults` needs to know: `data` is the provider's own folder, `learners` holds a folder each."""

    learners: str
    port: Port = 8300
    unused_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 90  # a vault to which nothing came so long is closed


class ChainSettings(OwnerSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the played chain and the played portal need to know. `addresses`: base address by name."""

    addresses: dict[str, str]
    part: Literal["chain", "portal"] = "chain"
    origin: str
    institutions: dict[str, str] = {}  # BRIN -> domain, as eduID knows them
    browsers: str = ""  # where the played browsers of learners keep what is theirs; empty: beside the portal's book
    pace: float = 1.0  # stretches the thinking times of the played partners; 0: none


def read_settings(kind: type[S], file: Path | None, environment: Mapping[str, str]) -> S:
    """Return the settings of a program. Raises SettingWrong with a sentence that names the setting."""
    values: dict[str, Any] = {}
    if file is not None:
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise SettingWrong(f"The settings file {file.name} cannot be read: {error.strerror}.") from None
        except tomllib.TOMLDecodeError as error:
            raise SettingWrong(f"{file.name} is not TOML: {error}.") from None
    for name, value in environment.items():
        if name.startswith("WISSEL_") and name not in {"WISSEL_SPECS", "WISSEL_STRICT"}:
            _put(values, name.removeprefix("WISSEL_").lower().split("__"), value)
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _wrong(str(error), kind) from None


def _wrong(said: str, kind: type[msgspec.Struct]) -> SettingWrong:
    """Return the one sentence about what is wrong, with the setting's name and what would be right."""
    sentence, _, path = said.partition(" - at `")
    path = path.replace("`", "")
    table = path.removeprefix("key in ")  # it is the name of a partner that is wrong
    where = (
        (table if table == path else f"{table}[...]").removeprefix("$").removeprefix(".").replace("[...]", ".<role>")
    )
    found = _FIELD.fullmatch(sentence)
    if found:
        name = f"{where}.{found[2]}" if where else found[2]
        near = "" if where else next(iter(get_close_matches(name, kind.__struct_fields__, 1)), "")
        unknown = f"is not known here{f'; is {near} meant?' if near else ''}"
        sentence = "is needed" if found[1] == "missing required" else unknown
        return SettingWrong(f"Setting {name} {sentence}. See docs/settings.md.", field=name)
    right = _KINDS.get(where, "")
    sentence = f"it is not {right}" if right else sentence[:1].lower() + sentence[1:]
    return SettingWrong(f"Setting {where}: {sentence}. See docs/settings.md.", field=where)


def allowed(pairs: tuple[str, ...]) -> frozenset[tuple[str, int]]:
    """Return the allow-list of outbound calls. Raises SettingWrong."""
    found = set()
    for pair in pairs:
        address, _, port = pair.rpartition(":")
        if not address or not port.isdecimal() or not 0 < int(port) <= PORT_MAX:
            raise SettingWrong(f"Setting allow: {pair!r} is not address:port.", field="allow")
        found.add((address, int(port)))
    return frozenset(found)


def _put(values: dict[str, Any], path: list[str], value: str) -> None:
    *folders, name = path
    for folder in folders:
        values = values.setdefault(folder, {})
    values[name] = value
