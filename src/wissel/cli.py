"""The command line: `wissel serve`, `wissel connector`, `wissel demo`, `wissel verify` and the operator's tools."""

import os
import re
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar, get_args

import click
import msgspec

from wissel.assembly import operator
from wissel.assembly.chain import run_chain
from wissel.assembly.demo.main import demo_main
from wissel.assembly.desk import ask
from wissel.assembly.institution import run_connector
from wissel.assembly.learner import run_vaults
from wissel.assembly.platform import run_platform
from wissel.assembly.settings import (
    ChainSettings,
    ConnectorSettings,
    PlatformSettings,
    VaultsSettings,
    read_settings,
)
from wissel.core.errors import WisselError
from wissel.infra.http.serve import run
from wissel.institution.words import GateDecision
from wissel.messages import verify as verifier
from wissel.messages.fields import OpenGate
from wissel.messages.grounds import GROUNDS
from wissel.messages.holds import HOLD_GROUNDS, HoldRole
from wissel.messages.show import as_html, as_text

S = TypeVar("S", bound=msgspec.Struct)
T = TypeVar("T")

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A TOML file with settings (docs/settings.md); WISSEL_* environment variables win over it.",
)
house_option = click.option("--house", default="", help="Which institution, when the connector serves several.")
NAME: Final = re.compile(r"-[A-Za-z0-9_-]{42}(\.afschrift)?", re.ASCII)
file_type = click.Path(path_type=Path, exists=True, dir_okay=False)


class Named(click.Command):
    """A command whose argument is a key or a copy. One in 64 of those names begins with a minus sign, as options do."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read such names as arguments."""
        named = [word for word in args if NAME.fullmatch(word)]
        rest = [word for word in args if word not in named]
        return super().parse_args(ctx, [*rest, "--", *named] if named else args)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Wissel: the national switch for lifelong learning."""


@main.command()
@config_option
def serve(config: Path | None) -> None:
    """Run the platform: the public API and all its work.

    On SQLite, in one process. Ctrl-C (SIGINT) or SIGTERM ends it.
    """
    _go(run_platform(_settings(PlatformSettings, config)))


@main.group(invoke_without_command=True)
@config_option
@click.pass_context
def connector(context: click.Context, config: Path | None) -> None:
    """Run an institution's side, or be its people.

    Without a command: the connector with the sample SIS, vault and witness. With one: speak to the one that runs.
    """
    context.obj = config
    if context.invoked_subcommand is None:
        _go(run_connector(_settings(ConnectorSettings, config)))


@connector.command()
@house_option
@click.pass_obj
def tasks(config: Path | None, house: str) -> None:
    """List what waits for a person.

    And what is under way, and what still goes out.
    """
    click.echo(
        msgspec.json.format(msgspec.json.encode(_go(ask(_settings(ConnectorSettings, config), "", None, house))))
    )


@connector.command()
@click.argument("process")
@click.argument("decision", type=click.Choice(["admitted", "conditional", "refused"]))
@click.option("--role", required=True, help="Who decides: a role, never a name.")
@click.option("--ground", type=click.Choice(list(GROUNDS)), help="Why she is refused: one of the closed table.")
@click.option("--text", default="", help="The reason in plain words; the learner reads it.")
@click.option(
    "--condition",
    "conditions",
    multiple=True,
    type=click.Choice(get_args(OpenGate)),
    help="A gate that must still be met (conditional).",
)
@house_option
@click.pass_obj
def decide(  # noqa: PLR0917 - one parameter per option
    config: Path | None,
    process: str,
    decision: str,
    role: str,
    ground: str | None,
    text: str,
    conditions: tuple[str, ...],
    house: str,
) -> None:
    """Decide on admission by hand. A refusal needs a ground and a reason, and tells the learner how to object."""
    body = {"process": process, "decision": decision, "role": role, "text": text, "conditions": conditions}
    if ground:
        body["ground"] = ground
    _go(ask(_settings(ConnectorSettings, config), "/admissions", body, house))
    click.echo(f"{decision}: {process}")


@connector.command()
@click.argument("process")
@click.argument("gate", type=click.Choice(get_args(OpenGate)))
@click.argument("decision", type=click.Choice(get_args(GateDecision)))
@click.option("--role", required=True, help="Who decides: a role, never a name.")
@click.option("--ground", required=True, help="The article or published requirement that the gate rests on.")
@click.option("--text", default="", help="In plain words; needed when it is not met: the learner reads it.")
@house_option
@click.pass_obj
def judge(  # noqa: PLR0917 - one parameter per option
    config: Path | None, process: str, gate: str, decision: str, role: str, ground: str, text: str, house: str
) -> None:
    """Decide on one gate of an enrolment by hand."""
    body = {"process": process, "gate": gate, "decision": decision, "role": role, "ground": ground, "text": text}
    _go(ask(_settings(ConnectorSettings, config), "/gates", body, house))
    click.echo(f"{gate} {decision}: {process}")


@connector.command("send-later")
@click.argument("process")
@click.option("--title", required=True)
@click.option("--text", required=True)
@house_option
@click.pass_obj
def send_later(config: Path | None, process: str, title: str, text: str, house: str) -> None:
    """Write to a learner, also months later.

    By her delivery capability, when her process was long forgotten.
    """
    body = {"process": process, "title": title, "text": text}
    _go(ask(_settings(ConnectorSettings, config), "/notices", body, house))
    click.echo("On its way; its afschrift will tell whether it arrived.")


role_option = click.option("--role", required=True, type=click.Choice(get_args(HoldRole)), help="Who says so: a role.")
ground_option = click.option("--ground", required=True, type=click.Choice(list(HOLD_GROUNDS)), help="Why (docs/rules).")


@connector.command()
@click.argument("process")
@role_option
@ground_option
@click.option(
    "--until", required=True, type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD", help="The last day of the hold."
)
@house_option
@click.pass_obj
def hold(config: Path | None, process: str, role: str, ground: str, until: Any, house: str) -> None:  # noqa: PLR0917 - one parameter per option
    """Keep the copies of a process past their end date, or move the end of a hold. The learner is told."""
    body = {"process": process, "role": role, "ground": ground, "until": until.date().isoformat()}
    _go(ask(_settings(ConnectorSettings, config), "/holds", body, house))
    click.echo(f"Held until {body['until']}. `wissel connector tasks` shows whether the learner could be told.")


@connector.command("end-hold")
@click.argument("process")
@role_option
@ground_option
@house_option
@click.pass_obj
def end_hold(config: Path | None, process: str, role: str, ground: str, house: str) -> None:
    """End a hold before its end date. The learner is told."""
    body = {"process": process, "role": role, "ground": ground}
    _go(ask(_settings(ConnectorSettings, config), "/holds/_end", body, house))
    click.echo("Ended. What is past its own end date is destroyed within a minute.")


@main.command()
@config_option
def vaults(config: Path | None) -> None:
    """Run a provider of learners' vaults."""
    _go(run_vaults(_settings(VaultsSettings, config)))


@main.command(hidden=True)
@config_option
def play(config: Path | None) -> None:
    """Run the played chain or the played portal. For demo and tests only."""
    _go(run_chain(_settings(ChainSettings, config)))


@main.command()
@click.option("--once", is_flag=True, help="Play one enrolment to its end and stop.")
@click.option("--seize", is_flag=True, help="Then hand over the platform's disk, and try everything.")
@click.option("--learner", default="everything-fine", show_default=True, help="Whose story is played.")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), default=Path("data"), show_default=True)
def demo(*, once: bool, seize: bool, learner: str, data: Path) -> None:
    """Run everything on this machine, and play an enrolment.

    Every owner is a process of its own, with its own folder below --data: the platform, three institutions, learners'
    vaults, the played chain and portal. Nothing of it is real: names and numbers are fictitious.
    """
    sys.exit(_go(demo_main(data.resolve(), once=once or seize, seize=seize, learner=learner)))


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="FILE...")
def verify(arguments: tuple[str, ...]) -> None:
    """Check afschriften offline: yes, or why not.

    No network, no database. Exit code 0 when all are yes, 1 when one is not.

    Options: --trust FILE, --key FILE, --revocations FILE, --witnessed, and --file FILE: yes only when the afschrift
    names a file of these bytes. By default the owner's keys are those in keys/ beside the vault.
    """
    sys.exit(verifier.main(arguments))


@main.command(cls=Named)
@click.argument("file", type=file_type)
@click.option(
    "--key", type=file_type, help="The owner's key, when the copy is sealed (default: keys/ beside the vault)."
)
@click.option("--html", is_flag=True, help="Write a page instead of text.")
@click.option("--language", type=click.Choice(["nl", "en"]), default="nl", show_default=True)
def show(file: Path, key: Path | None, *, html: bool, language: str) -> None:
    """Render an afschrift for a person."""
    key = key or file.resolve().parent.parent / "keys" / "seal.json"
    try:
        jwk = verifier.parse_json(key.read_bytes()) if key.exists() else None
        document = verifier.open_copy(file.read_bytes(), jwk)
        click.echo((as_html if html else as_text)(document, language))
    except verifier.Refused as error:
        click.echo(f"wissel: {error.sentence} [{error.code}]", err=True)
        sys.exit(1)


@main.group()
@config_option
@click.pass_context
def audit(context: click.Context, config: Path | None) -> None:
    """Check, export, prune or reopen the audit log, or print its trust file. The platform must be stopped."""
    context.obj = config


@audit.command("check")
@click.pass_obj
def audit_check(config: Path | None) -> None:
    """Rebuild the whole tree and compare it with every checkpoint. Exit code 1 when one does not fit."""
    checked = _go(operator.check_log(_settings(PlatformSettings, config)))
    for found in checked:
        seen = f"{found.entries} entries, {found.tiles} tiles, {found.checkpoints} checkpoints"
        click.echo(f"{found.origin}: {found.reason or f'sound ({seen})'}")
    sys.exit(1 if any(found.reason for found in checked) else 0)


@audit.command("export")
@click.argument("target", type=click.Path(path_type=Path, file_okay=False))
@click.pass_obj
def audit_export(config: Path | None, target: Path) -> None:
    """Write checkpoints, tiles and entries below TARGET, for who may read all entries."""
    done = _go(operator.export_log(_settings(PlatformSettings, config), target))
    click.echo(f"{done.files} files, {done.entries} entries")


@audit.command("prune")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.pass_obj
def audit_prune(config: Path | None, *, dry_run: bool) -> None:
    """Delete entries that are older than the written policy keeps (log_policy, log_keep_years).

    The running platform does this once a day. Hashes stay, so every proof stays valid.
    """
    done = _go(operator.prune_log(_settings(PlatformSettings, config), dry=dry_run))
    for each in done:
        click.echo(
            f"{each.head.origin}: {each.entries} entries below {each.minimum} {'would go' if dry_run else 'went'}"
        )
    if not done:
        click.echo("Nothing is old enough.")


@audit.command("reopen")
@click.option("--yes", is_flag=True, help="Close the log for ever; without this nothing happens.")
@click.pass_obj
def audit_reopen(config: Path | None, *, yes: bool) -> None:
    """Close the log after a restore of older data and start a new one that names its last checkpoint.

    Everybody who verifies copies then needs a new trust file. Look first: `wissel audit check`.
    """
    if not yes:
        click.echo(
            "Nothing was closed. Look with `wissel audit check`; to close the log, repeat this with --yes.", err=True
        )
        sys.exit(1)
    done = _go(operator.reopen_log(_settings(PlatformSettings, config)))
    click.echo(f"{done.origin}: {done.again} leaves logged anew. Hand out the new trust file (`wissel audit trust`).")


@audit.command("trust")
@click.pass_obj
def audit_trust(config: Path | None) -> None:
    """Print the trust file by which everybody verifies copies: all logs, the witnesses, the quorum."""
    click.echo(_go(operator.trust(_settings(PlatformSettings, config))))


@main.group()
@config_option
@click.pass_context
def inspect(context: click.Context, config: Path | None) -> None:
    """Look into the platform's store; it may be running."""
    context.obj = config


@inspect.command("forgetting")
@click.pass_obj
def inspect_forgetting(config: Path | None) -> None:
    """Show what can still be read, since when, and what is under way to become unreadable."""
    report = _go(operator.inspect_forgetting(_settings(PlatformSettings, config)))
    click.echo(msgspec.json.format(msgspec.json.encode(report)))


@main.group()
@config_option
@click.pass_context
def forgetting(context: click.Context, config: Path | None) -> None:
    """Decide what forgetting may not decide by itself. The platform must be stopped."""
    context.obj = config


@forgetting.command("write-off")
@click.option("--yes", is_flag=True, help="Write it off; without this the losses are only listed.")
@click.pass_obj
def forgetting_write_off(config: Path | None, *, yes: bool) -> None:
    """List what a lost key store makes unreadable, by process and receiver, and give it up.

    Senders keep a message until they hold its receiver's receipt, and send again. Look first whether the right key
    store is mounted: what is written off cannot come back.
    """
    settings = _settings(PlatformSettings, config)
    lost = _go(operator.losses(settings))
    if lost is None:
        click.echo("Nothing is lost.")
        return
    for loss in lost.lost:
        click.echo(f"{loss.process} {loss.receiver or '-'}")
    click.echo(f"{len({loss.process for loss in lost.lost})} processes, {len(lost.days)} days", err=True)
    if not yes:
        click.echo("Nothing was written off. Mount the right key store, or repeat this with --yes.", err=True)
        sys.exit(1)
    click.echo(f"{_go(operator.write_off(settings))} days written off")


@forgetting.command("continue")
@click.argument("through", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY")
@click.pass_obj
def forgetting_continue(config: Path | None, through: Any) -> None:
    """Let days up to and including DAY (YYYY-MM-DD) be destroyed, after looking at the clocks."""
    _go(operator.continue_forgetting(_settings(PlatformSettings, config), through.date()))


@main.group()
@config_option
@click.pass_context
def participants(context: click.Context, config: Path | None) -> None:
    """Register who may speak, or revoke a key. The platform must be stopped."""
    context.obj = config


@participants.command("add")
@click.argument("cards", nargs=-1, type=file_type, required=True, metavar="CARD...")
@click.pass_obj
def participants_add(config: Path | None, cards: tuple[Path, ...]) -> None:
    """Register or renew participants by their cards."""
    for card in cards:
        urn, fresh = _go(operator.register(_settings(PlatformSettings, config), card))
        click.echo(f"{urn}: {fresh} new keys")


@participants.command("revoke", cls=Named)
@click.argument("kid")
@click.pass_obj
def participants_revoke(config: Path | None, kid: str) -> None:
    """Revoke a key from now on. What it signed before stays valid; /log/revocations tells everybody."""
    _go(operator.revoke(_settings(PlatformSettings, config), kid))
    click.echo(f"{kid}: revoked")


@main.group()
@config_option
@click.pass_context
def engine(context: click.Context, config: Path | None) -> None:
    """Look at what was set aside, and take it up again."""
    context.obj = config


@engine.command("aside")
@click.pass_obj
def engine_aside(config: Path | None) -> None:
    """List processes whose decision failed."""
    for process, code in _go(operator.set_aside(_settings(PlatformSettings, config))):
        click.echo(f"{process} {code}")


@engine.command("retry")
@click.argument("process")
@click.pass_obj
def engine_retry(config: Path | None, process: str) -> None:
    """Take a process up again. The platform must be stopped."""
    _go(operator.retry(_settings(PlatformSettings, config), process))


def _settings(kind: type[S], config: Path | None) -> S:
    try:
        return read_settings(kind, config, os.environ)
    except WisselError as error:
        _refuse(error)


def _go(work: Coroutine[Any, Any, T]) -> T:
    try:
        return run(work)
    except* (WisselError, verifier.Refused) as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        _refuse(error)


def _refuse(error: BaseException) -> NoReturn:
    if isinstance(error, WisselError):
        click.echo(f"wissel: {error.sentence} [{error.code}]", err=True)
    else:
        click.echo(f"wissel: {error}", err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
