"""The command line: `wissel serve`, `wissel connector`, `wissel demo`, `wissel verify` and the operator's tools."""

import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
import msgspec

from wissel.assembly.chain import run_chain
from wissel.assembly.demo.main import demo_main
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
from wissel.messages import verify as verifier

S = TypeVar("S", bound=msgspec.Struct)
T = TypeVar("T")

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A TOML file with settings (docs/settings.md); WISSEL_* environment variables win over it.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Wissel: the national switch for lifelong learning."""


@main.command()
@config_option
def serve(config: Path | None) -> None:
    """Run the platform alone: the public API and all its background work, on SQLite."""
    _go(run_platform(_settings(PlatformSettings, config)))


@main.group(invoke_without_command=True)
@config_option
@click.pass_context
def connector(context: click.Context, config: Path | None) -> None:
    """Run an institution's side alone: connector, sample SIS, vault and witness."""
    if context.invoked_subcommand is None:
        _go(run_connector(_settings(ConnectorSettings, config)))


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
    """Run everything on this machine and play an enrolment step by step."""
    sys.exit(_go(demo_main(data.resolve(), once=once or seize, seize=seize, learner=learner)))


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="FILE...")
def verify(arguments: tuple[str, ...]) -> None:
    """Check afschriften offline: yes, or the first reason for no. No network, no database.

    Options: --trust FILE, --key FILE, --revocations FILE, --witnessed. By default the owner's keys are those in keys/
    beside the vault.
    """
    sys.exit(verifier.main(arguments))


def _settings(kind: type[S], config: Path | None) -> S:
    try:
        return read_settings(kind, config, os.environ)
    except WisselError as error:
        _refuse(error)


def _go(work: Coroutine[Any, Any, T]) -> T:
    try:
        return run(work)
    except* WisselError as group:
        error = group.exceptions[0]
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        _refuse(error)


def _refuse(error: BaseException) -> NoReturn:
    code = error.code if isinstance(error, WisselError) else "failed"
    click.echo(f"wissel: {error} [{code}]", err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
