"""What a visitor sees: who said what to whom, what is still open, and at the end what is left of it."""

from collections.abc import Mapping
from typing import Any, Final

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from wissel.assembly.demo.proof import Proof
from wissel.assembly.demo.setup import Scene
from wissel.messages.catalogue import CATALOGUE
from wissel.messages.participant import Card
from wissel.platform.forgetting.thief.words import Loot

_ENDS: Final = {
    "accepted": "[green]✓ received[/]",
    "rejected": "[red]✗ refused[/]",
    "undelivered": "[red]✗ not delivered[/]",
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
        self.console = console or Console(highlight=False)
        self._names = {card.urn: card.name.removesuffix(" (fictitious)").removesuffix(" (played)") for card in cards}
        self._open = ""

    def where(self, scene: Scene) -> None:
        """Say where everything is."""
        table = Table(show_header=False, box=None, padding=(0, 2))
        rows = {
            "platform": ("platform", "platform"),
            "institutions": ("noord, zee, land", "institutions"),
            "vault provider": ("vaults", "learners"),
            "played chain": ("portal, eduid, digid, duo, ind, nuffic, psp", "chain"),
        }
        for title, (names, place) in rows.items():
            ports = "  ".join(f"{name} :{scene.ports[name]}" for name in names.split(", "))
            table.add_row(f"[bold]{title}[/]", ports, f"[dim]{scene.data.name}/{place}[/]")
        self.console.print(
            Panel(table, title="[bold]Wissel[/] · demo · 15 April 2026, study year 2026-27", expand=False)
        )

    def line(self, said: Mapping[str, Any]) -> None:
        """Show one thing that happened."""
        event, time = said["event"], f"[dim]{str(said['at'])[11:19]}[/]"
        match event:
            case "message.accepted":
                source, recipient = self._who(said["source"]), self._who(said["recipient"])
                self.console.print(f"{time}  [bold]{source}[/] → {recipient}: {_what(said['type'])}")
            case "message.ended":
                ending = _ENDS[said["outcome"]]
                self.console.print(
                    f"{time}     {ending} [dim]by {self._who(said['recipient'])}: {_what(said['type'])}[/]"
                )
            case "process.moved":
                self._moved(said, time)
            case "copies.made":
                witnesses = f"{said['witnesses']} witnesses" if said["witnesses"] else "not witnessed"
                self.console.print(f"{time}     [dim]afschriften of “{_what(said['type'])}” sealed ({witnesses})[/]")
            case "process.settled":
                self.console.print(f"{time}  [cyan]settled[/]: every message has its outcome; payloads are unreadable")
            case "process.forgotten":
                self.console.print(f"{time}  [cyan]forgotten[/]: the last copy is handed over; all keys are destroyed")
            case _:
                pass

    def by_hand(self, said: str) -> None:
        """Show what a person at the institution did, if anything."""
        if said:
            self.console.print(f"          [magenta]by hand: {said}[/]")

    def _moved(self, said: Mapping[str, Any], time: str) -> None:
        if said.get("open", "") != self._open:
            self._open = said.get("open", "")
            still = self._open.replace(" ", ", ") or "nothing"
            self.console.print(f"{time}     [yellow]still open: {still}[/]")

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
        table = Table(show_header=False, box=None, padding=(0, 2))
        table.add_row("messages", str(proof.messages))
        table.add_row("receipts", str(proof.receipts))
        table.add_row(
            "copies", f"{proof.copies} delivered, {proof.verified} verified offline ({proof.witnessed} witnessed)"
        )
        table.add_row("audit tree", f"{proof.size} leaves, root {proof.root}")
        table.add_row("time", f"{proof.seconds:.1f} s")
        table.add_row("forgotten", proof.forgotten)
        colour = "green" if proof.good else "red"
        self.console.print(Panel(table, title=Text("What is left", style="bold"), border_style=colour, expand=False))
        for trouble in proof.troubles:
            self.console.print(f"[red]{trouble}[/]")


def _what(kind: str) -> str:
    row = CATALOGUE.get(kind)
    if row is None:
        return kind
    return f"{kind.removeprefix('nl.wissel.').removesuffix('.v1')} [dim]({row.purpose})[/]"
