"""The kill test: processes die while learners enrol, and all books are right. `make chaos` (ARGS="--seed 7").

`kill -9` at named crash points and at random moments, for the platform mostly, and for connectors, portal, chain
and vaults; each is started again at once. docs/faults.md says what is held and what was seen.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table
from tests.chaos.run import Report, kill_test

TROUBLES_SHOWN: Final = 20


def show(report: Report, console: Console) -> None:
    """Print who died how, what the books hold, and what is wrong."""
    deaths = Table("killed", "how", "times", title=f"{len(report.deaths)} kills", title_justify="left")
    for (owner, how), times in sorted(Counter((death.owner, death.how) for death in report.deaths).items()):
        deaths.add_row(owner, how, str(times))
    console.print(deaths)
    books = Table("book", "what", "there", "must be", title="The books", title_justify="left")
    for book in report.findings.books:
        style = "" if book.there == book.expected else "red"
        books.add_row(book.owner, book.what, str(book.there), str(book.expected), style=style)
    console.print(books)
    findings = report.findings
    console.print(
        f"{report.enrolments} enrolments disturbed, {findings.messages} messages, {findings.copies} copies of which "
        f"{findings.verified} verify; {report.orderly} orderly restarts; {report.seconds:.0f} s"
    )
    for trouble in findings.troubles[:TROUBLES_SHOWN]:
        console.print(f"[red]{trouble}[/]")
    more = len(findings.troubles) - TROUBLES_SHOWN
    if more > 0:
        console.print(f"[red]and {more} more[/]")
    verdict = "Nothing lost, nothing done twice." if report.good else f"[red]{len(findings.troubles)} troubles.[/]"
    console.print(verdict)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--enrolments", type=int, default=60)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=10.0, help="give up after so long")
    parser.add_argument("--data", type=Path, help="a folder that is emptied first and stays; none: a fresh one")
    args = parser.parse_args()
    data = args.data or Path(tempfile.mkdtemp(prefix="wissel-chaos-"))
    report = asyncio.run(
        kill_test(data, enrolments=args.enrolments, kill=args.kills, seed=args.seed, minutes=args.minutes)
    )
    show(report, Console())
    if report.good and args.data is None:
        shutil.rmtree(data)
    sys.exit(0 if report.good else 1)


if __name__ == "__main__":
    main()
