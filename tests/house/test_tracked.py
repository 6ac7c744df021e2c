"""What may never be committed: addresses of registries, paths of one machine, stores and keys."""

import re
from typing import Final

import pytest
from tests.house.reading import ROOT, tracked

FORBIDDEN: Final = {
    "an address of a package registry": re.compile(
        r"--(?:extra-)?index-url|registry\s*[=:]\s*[\"'{]?\s*http|\"resolved\"\s*:|https?://[^ \"]+/simple(?:/|\"|$)"
        r"|https?://[^ \"]+\.(?:whl|tgz|tar\.gz)\b",
        re.MULTILINE,
    ),
    "a path of one machine": re.compile(
        r"(?:^|[^\w./:-])/(?:work|farm|root|home/\w+|Users/\w+|opt/\w+)/[\w.-]+", re.MULTILINE
    ),
}
UNWANTED: Final = re.compile(r"(?:^|/)(?:uv\.lock|poetry\.lock|Pipfile\.lock|yarn\.lock)$|\.(?:sqlite|db|pem|key|pyc)$")
SAMPLES: Final = {
    "an address of a package registry": [
        "--index" + "-url x",
        '"resol' + 'ved": "x"',
        "https:" + "//pypi.test/simple/",
    ],
    "a path of one machine": ["open('/ro" + "ot/x')", " /ho" + "me/anna/x", '"/wo' + 'rk/main"'],
}


@pytest.mark.needs("git")
@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    found = []
    for name in tracked():
        text = (ROOT / name).read_bytes().decode("utf-8", errors="replace")
        hits = FORBIDDEN[what].finditer(text)
        found += [f"{name}:{text.count(chr(10), 0, hit.start()) + 1} {hit[0].strip()[:80]}" for hit in hits]
    assert not found, f"{what} may not be committed:\n" + "\n".join(found)


@pytest.mark.needs("git")
def test_no_store_key_or_foreign_lock_file_is_committed() -> None:
    assert not [name for name in tracked() if UNWANTED.search(name)]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_search_sees_each_sample(what: str) -> None:
    assert all(FORBIDDEN[what].search(sample) for sample in SAMPLES[what])


@pytest.mark.parametrize("text", ["https://example.nl/home/anna/x", "docs/root/page", "/homework/x"])
def test_the_search_lets_addresses_and_folders_be(text: str) -> None:
    assert not FORBIDDEN["a path of one machine"].search(text)
