"""What a visitor sees: who said what to whom, what is still needed, what is left of it, and where to look next."""

import sys
from collections.abc import Mapping
from typing import Any, Final

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from wissel.assembly.demo.proof import Proof
from wissel.assembly.demo.setup import START, Scene
from wissel.core.moments import AMSTERDAM, parse_rfc3339
from wissel.messages.catalogue import CATALOGUE
from wissel.messages.participant import Card
from wissel.messages.wording import TITLES, WORDS
from wissel.platform.forgetting.thief.words import Loot

WIDTH: Final = 100  # of what is not a terminal
_TIME_WIDTH: Final = 10

_ENDS: Final = {
    "accepted": "[green]✓ received by[/]",
    "rejected": "[red]✗ refused by[/]",
    "undelivered": "[red]✗ not delivered to[/]",
}

_LOOT: Final = {
    "files": "files",
    "day keys": "day_keys",
    "slots": "slots",
    "wrapped keys": "wrapped",
    "sealed values": "sealed",
    "tries": "tries",
}


class Screen:
    """Prints the demo's story. Names come from the public cards; nothing personal is known here."""

    def __init__(self, cards: list[Card], console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
        self._names = {card.urn: card.name.removesuffix(" (fictitious)").removesuffix(" (played)") for card in cards}
        self._open = ""

    def where(self, scene: Scene, processes: int) -> None:
        """Say what this is, and where everything is."""
        table = Table.grid(padding=(0, 2))
        rows = {
            "platform": (("platform",), "platform"),
            "institutions": (("noord", "zee", "land"), "institutions"),
            "vaults": (("vaults",), "learners"),
            "played world": (("portal", "eduid", "digid"), "chain"),
            "": (("duo", "ind", "nuffic"), ""),
            " ": (("psp",), ""),
        }
        for title, (names, place) in rows.items():
            ports = "  ".join(f"{name} :{scene.ports[name]}" for name in names)
            table.add_row(f"[bold]{title}[/]", ports, f"[dim]{scene.data.name}/{place}[/]" if place else "")
        today = f"{START.day} {START:%B %Y}"
        self.console.print(Panel(table, title=f"[bold]Wissel[/] · demo · {today}", expand=False))
        self.console.print(f"Starting {processes} processes on this machine. Everybody in this story is fictitious.")

    def begins(self, ref: str, seconds: float) -> None:
        """Say that the story begins."""
        self.console.print(f"Ready after {seconds:.1f} s. A learner ([bold]{ref}[/]) asks to enrol.\n")

    def line(self, said: Mapping[str, Any]) -> None:
        """Show one thing that happened."""
        at = str(said["at"])
        match said["event"]:
            case "message.accepted":
                source, recipient = self._who(said["source"]), self._who(said["recipient"])
                self._print(at, self._fitting(f"[bold]{source}[/] → {recipient}: {_title(said)}", _purpose(said)))
            case "message.ended":
                self._print(at, f"  {_ENDS[said['outcome']]} {self._who(said['recipient'])}[dim]: {_title(said)}[/]")
            case "process.moved":
                self._moved(said, at)
            case "copies.made":
                witnesses = f"{said['witnesses']} witnesses" if said["witnesses"] else "not witnessed"
                self._print(at, f"  [dim]signed copies sealed: {_title(said)} ({witnesses})[/]")
            case "process.settled":
                self._print(at, "[cyan]settled[/]: every message has its outcome; payloads are unreadable now")
            case "process.forgotten":
                self._print(at, "[cyan]forgotten[/]: the last copy is handed over; all keys are destroyed")
            case _:
                pass

    def by_hand(self, said: str) -> None:
        """Show what a person at the institution did, if anything."""
        if said:
            self._print("", f"[magenta]by hand: {said}[/]")

    def _moved(self, said: Mapping[str, Any], at: str) -> None:
        if said.get("open", "") != self._open:
            self._open = said.get("open", "")
            gates = ", ".join(_gate(name) for name in self._open.split())
            self._print(at, f"  [yellow]{f'still needed: {gates}' if gates else 'nothing more is needed'}[/]")

    def _print(self, at: str, what: str) -> None:
        """Print a line: the Dutch time, and what happened; what does not fit goes on below its beginning."""
        time = f"{parse_rfc3339(at).astimezone(AMSTERDAM):%H:%M:%S}" if at else ""
        text = Text.from_markup(what.lstrip(" "))
        indent = _TIME_WIDTH + len(what) - len(what.lstrip(" "))
        for line in text.wrap(self.console, max(self.console.width - indent, _TIME_WIDTH)):
            self.console.print(Text.assemble((time.ljust(indent), "dim"), line))
            time = ""

    def _fitting(self, what: str, more: str) -> str:
        """Return the line with what more there is to say, where that fits."""
        length = Text.from_markup(what).cell_len + len(more) + 3 + _TIME_WIDTH
        return f"{what} [dim]({more})[/]" if more and length <= self.console.width else what

    def _who(self, urn: str) -> str:
        return "learner" if urn == "learner" else self._names.get(urn, urn)

    def loot(self, control: Loot, loot: Loot, scene: Scene) -> None:
        """Show what a thief had of the platform's disk: while the enrolment ran, and after it was forgotten."""
        table = Table("", "while it ran (control)", "seized afterwards", box=None, padding=(0, 2))
        for title, name in _LOOT.items():
            table.add_row(title, str(getattr(control, name)), str(getattr(loot, name)))
        table.add_row("[bold]keys opened[/]", str(len(control.keys)), str(len(loot.keys)))
        table.add_row("[bold]values read[/]", str(len(control.readings)), str(len(loot.readings)))
        table.add_row("[bold]the learner's words found[/]", str(len(control.hits)), str(len(loot.hits)))
        colour = "green" if loot.nothing else "red"
        title = f"Seized: {scene.data.name}/seized, key store and last night's back-up included"
        self.console.print(Panel(table, title=title, border_style=colour, expand=False))
        ending = "Nothing of her can be read." if loot.nothing else "[red]Something of her can be read.[/]"
        self.console.print(f"{ending} Every party's copies verify without the platform: [bold]wissel verify FILE[/].")

    def summary(self, proof: Proof) -> None:
        """Show what is left: copies in vaults, the log, and nothing that can be read."""
        table = Table.grid(padding=(0, 2))
        table.add_row("messages", f"{proof.messages}, and {proof.receipts} receipts signed by who got them")
        table.add_row(
            "copies",
            f"{proof.copies - proof.at_partners} in the vaults and {proof.at_partners} with the partners; "
            f"{proof.verified} verified offline, {proof.witnessed} of them witnessed",
        )
        table.add_row(
            "files", f"{proof.files} delivered, {proof.files_verified} verified against a copy that names them"
        )
        table.add_row("audit log", f"{proof.size} entries, root {proof.root}")
        table.add_row("forgotten", proof.forgotten)
        table.add_row("took", f"{proof.seconds:.1f} s")
        colour = "green" if proof.good else "red"
        title = Text("What is left", style="bold")
        self.console.print("", Panel(table, title=title, border_style=colour, expand=False))
        for trouble in proof.troubles:
            self.console.print(f"[red]{trouble}[/]")

    def look(self, hints: Mapping[str, str]) -> None:
        """Say where to look: commands and addresses, each whole on a line of its own."""
        for title, what in hints.items():
            self.console.print(f"[dim]{title}[/]")
            self.console.print(Text(f"  {what}"), soft_wrap=True)


def _title(said: Mapping[str, Any]) -> str:
    kind = str(said["type"])
    return TITLES[kind][1] if kind in TITLES else kind


def _purpose(said: Mapping[str, Any]) -> str:
    row = CATALOGUE.get(str(said["type"]))
    return "" if row is None else row.purpose


def _gate(name: str) -> str:
    return WORDS[name][1] if name in WORDS else name
