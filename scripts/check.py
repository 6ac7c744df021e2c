"""What `make check` and `make test` run: every check, each with its seconds, and a verdict at the end."""

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
BIN: Final = Path(sys.executable).parent

CODE: Final = ("src", "tests", "scripts")  # code in pages is laid out for its readers

QUIET: Final = {
    "format": ("ruff", "format", "--check", "--quiet", "--diff", *CODE),
    "lint": ("ruff", "check", "--quiet", *CODE),
    "types": ("mypy", "--no-error-summary"),
    "contracts": ("lint-imports", "--no-logo"),
}
BUDGETS: Final = ("pytest", "--quiet", "tests/house")
TESTS: Final = ("pytest", "--quiet")


class Result(NamedTuple):
    """One check that was run: its name, whether it held, its seconds and what it said."""

    name: str
    held: bool
    seconds: float
    said: str


def run(name: str, command: tuple[str, ...], *, aloud: bool = False) -> Result:
    """Run one tool of the virtual environment. `aloud` shows what it says while it says it."""
    started = time.monotonic()
    done = subprocess.run(
        [BIN / command[0], *command[1:]],
        cwd=ROOT,
        check=False,
        text=True,
        stdout=None if aloud else subprocess.PIPE,
        stderr=None if aloud else subprocess.STDOUT,
    )
    return Result(name, done.returncode == 0, time.monotonic() - started, done.stdout or "")


def report(result: Result) -> None:
    """Print one line for a check, and what it said when it did not hold."""
    print(f"  {result.name:<10} {'holds' if result.held else 'FAILS':<6} {result.seconds:6.1f} s", flush=True)
    if not result.held and result.said:
        print(result.said, flush=True)


def main() -> int:
    """Run the checks, then the tests or only the budgets; answer 0 when all held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", action="store_true", help="run all tests, not only the budgets")
    parser.add_argument("--strict", action="store_true", help="a check that could not run is a failure")
    options, rest = parser.parse_known_args()
    if options.strict:
        os.environ["WISSEL_STRICT"] = "1"
    started = time.monotonic()
    results = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for result in pool.map(lambda item: run(*item), QUIET.items()):
            report(result)
            results.append(result)
    name, command = ("tests", (*TESTS, *rest)) if options.tests else ("budgets", BUDGETS)
    results.append(run(name, command, aloud=True))
    report(results[-1])
    failed = [result.name for result in results if not result.held]
    verdict = f"FAILED: {', '.join(failed)}" if failed else "All that ran holds."
    print(f"\n{verdict} {time.monotonic() - started:.1f} s in all.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
