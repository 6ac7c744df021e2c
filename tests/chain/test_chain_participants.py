"""Cards, keys, drawers and signed answers of the played participants, as the platform reads them."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import msgspec
import pytest
from litestar.testing import AsyncTestClient
from tests.chain.played import START, CountedEntropy, JumpingClock, database, world

from wissel.chain.build import Addresses, build_chain
from wissel.chain.oidc.keys import RsaKey
from wissel.chain.participants import Name, Participant, make_participants, urn_of
from wissel.chain.people import People
from wissel.infra.files.memory import MemoryFolder
from wissel.infra.files.ports import Folder
from wissel.infra.http.proof import make_proof
from wissel.infra.sql.migrate import migrate, read_migrations
from wissel.messages.catalogue import CATALOGUE
from wissel.messages.jose import Sealer, SigningKey
from wissel.messages.verify import b64, check_jws, sha256
from wissel.platform.participants.actions import Participants
from wissel.platform.store import MIGRATIONS

ADDRESSES = Addresses(
    portal="http://portal.test",
    eduid="http://eduid.test",
    digid="http://digid.test",
    duo="http://duo.test",
    ind="http://ind.test",
    nuffic="http://nuffic.test",
    psp="http://psp.test",
)
PLATFORM = SigningKey.new(CountedEntropy("platform"))
Folders = Callable[[str], Folder]


@cache
def _id_token() -> bytes:
    """One RSA key for all tests: drawing one takes half a second."""
    return msgspec.json.encode(RsaKey.new(CountedEntropy("id_token")).private_jwk)


def memory(*, with_rsa: bool = True) -> Folders:
    folders: dict[str, MemoryFolder] = {}
    if with_rsa:
        folders["eduid/keys"] = MemoryFolder()
        folders["eduid/keys"].add("idtoken.json", _id_token())
    return lambda name: folders.setdefault(name, MemoryFolder())


def made(folders: Folders | None = None, seed: str = "keys") -> dict[Name, Participant]:
    adapter = SigningKey.new(CountedEntropy("adapter")).public_jwk
    return make_participants(
        folders or memory(), CountedEntropy(seed), START, addresses=ADDRESSES.by_name(), adapters={"duo": adapter}
    )


async def test_the_platform_registers_every_card_and_reads_every_grant(tmp_path: Path) -> None:
    store = database(tmp_path, "platform")
    await migrate(store, read_migrations(MIGRATIONS))
    register = Participants(store, CountedEntropy("register"))
    for participant in made().values():
        await register.register(participant.card, START)
    for row in CATALOGUE.values():
        if row.recipient in {"duo", "ind", "nuffic", "psp", "eduid"}:
            recipient = register.by_role(row.recipient).urn
            assert all(register.grant_for(recipient, sender, row.type, START) for sender in row.senders), row.type
    adapter = SigningKey.new(CountedEntropy("adapter")).kid
    assert register.live_key(adapter, "sign", START).card.urn == urn_of("duo")
    assert "adapter" in register.key(adapter).key.note
    assert register.by_role("eduid").issuer == "http://eduid.test"
    store.close()


def test_keys_are_made_once_and_read_afterwards() -> None:
    folders = memory(with_rsa=False)
    first, second = made(folders), made(folders, "other")
    assert {n: p.sign.kid for n, p in first.items()} == {n: p.sign.kid for n, p in second.items()}
    assert {n: p.secrets for n, p in first.items()} == {n: p.secrets for n, p in second.items()}
    assert first["eduid"].card == second["eduid"].card
    assert made(seed="other")["duo"].sign.kid != first["duo"].sign.kid


def test_no_card_holds_a_private_half_or_a_secret() -> None:
    for participant in made().values():
        card = msgspec.json.encode(participant.card).decode()
        secrets = [secret for secret in msgspec.structs.asdict(participant.secrets).values() if secret]
        halves = [participant.sign.private_jwk["d"], participant.seal.private_jwk["d"]]
        if participant.id_token:
            halves += [participant.id_token.private_jwk["p"], participant.id_token.private_jwk["q"]]
        assert not [hidden for hidden in (*secrets, *halves) if hidden in card]


class Chain:
    """The whole chain, with its folders."""

    def __init__(self, folder: Path) -> None:
        self.clock = JumpingClock()
        self.folders = memory()
        self.participants = made(self.folders)
        self.stores = {name: database(folder, name) for name in ("eduid", "duo", "ind", "nuffic", "psp")}
        self.built = build_chain(
            world(self.clock),
            self.participants,
            ADDRESSES,
            folders=self.folders,
            databases=lambda name: self.stores[name.split("/", maxsplit=1)[0]],
            platform_key={PLATFORM.kid: PLATFORM.public_jwk}.get,
            institutions={"99AA": "voorbeeld.example"},
        )
        self.apps = {served.name: served.app for served in self.built.apps}

    def copies(self, name: Name, text: bytes = b"{}") -> bytes:
        sealer = Sealer.new(self.participants[name].seal.public_jwk, CountedEntropy("sealer"))
        jwe = sealer.seal(text, CountedEntropy("iv"))
        return json.dumps({"copies": [{"id": b64(sha256(text)), "jwe": jwe}]}).encode()

    def proof(self, url: str, body: bytes, key: SigningKey = PLATFORM) -> dict[str, str]:
        seed = CountedEntropy(url + str(self.clock.now()))
        made = make_proof(key, method="POST", url=url, body=body, now=self.clock.now(), entropy=seed)
        return {"Wissel-Proof": made}

    def close(self) -> None:
        for store in self.stores.values():
            store.close()


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    return Chain(tmp_path)


@pytest.mark.parametrize("name", ["eduid", "duo", "ind", "nuffic", "psp"])
async def test_every_partner_stores_what_the_platform_delivers_and_once(chain: Chain, name: Name) -> None:
    body, url = chain.copies(name), f"{ADDRESSES.by_name()[name]}/copies"
    async with AsyncTestClient(chain.apps[name]) as client:
        first = await client.post("/copies", content=body, headers=chain.proof(url, body))
        chain.clock.jump(1)
        again = await client.post("/copies", content=body, headers=chain.proof(url, body))
    stored = json.loads(body)["copies"][0]
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json() == {"stored": [stored["id"]]}
    assert chain.folders(f"{name}/copies").names() == [f"{stored['id']}.jwe"]
    assert chain.folders(f"{name}/copies").read(f"{stored['id']}.jwe") == stored["jwe"].encode()
    chain.close()


async def test_a_drawer_takes_nothing_without_a_fresh_proof_of_the_platform(chain: Chain) -> None:
    body, url = chain.copies("duo"), "http://duo.test/copies"
    good = chain.proof(url, body)
    stranger = SigningKey.new(CountedEntropy("stranger"))
    async with AsyncTestClient(chain.apps["duo"]) as client:
        refused = [
            await client.post("/copies", content=body),
            await client.post("/copies", content=body, headers=chain.proof(url, body, stranger)),
            await client.post("/copies", content=body, headers=chain.proof("http://ind.test/copies", body)),
            await client.post("/copies", content=body + b" ", headers=chain.proof(url, body)),
        ]
        chain.clock.jump(120)
        refused.append(await client.post("/copies", content=body, headers=good))
        fresh = chain.proof(url, body)
        assert (await client.post("/copies", content=body, headers=fresh)).status_code == 200
        refused.append(await client.post("/copies", content=body, headers=fresh))
    assert {answer.status_code for answer in refused} == {400}
    assert len(chain.folders("duo/copies").names()) == 1
    chain.close()


@pytest.mark.parametrize("bad", [b"{}", b'{"copies":[]}', b'{"copies":[{"id":"../../x","jwe":"a..b"}]}', b"not json"])
async def test_a_drawer_refuses_what_are_no_copies(chain: Chain, bad: bytes) -> None:
    headers = chain.proof("http://duo.test/copies", bad)
    async with AsyncTestClient(chain.apps["duo"]) as client:
        answer = await client.post("/copies", content=bad, headers=headers)
    assert 400 <= answer.status_code < 500
    assert chain.folders("duo/copies").names() == []
    chain.close()


async def test_each_answer_is_signed_by_the_key_on_the_partners_card(chain: Chain) -> None:
    person, duo = People().get("everything-fine"), chain.participants["duo"]
    body = {"bsn": person.bsn, "birthdate": person.birthdate}
    async with AsyncTestClient(chain.apps["duo"]) as client:
        answer = await client.post("/v1/education/_query", json=body, headers={"X-Api-Key": duo.secrets.api})
        problem = await client.post("/v1/education/_query", json=body)
    check_jws(answer.headers["answer-signature"], duo.card.keys[0].jwk, answer.content)
    check_jws(problem.headers["answer-signature"], duo.card.keys[0].jwk, problem.content)
    chain.close()


async def test_applications_share_no_book_and_each_has_its_own_port(chain: Chain) -> None:
    assert len({served.address for served in chain.built.apps}) == len(chain.built.apps) == 6
    files = {store.path for store in chain.stores.values()}
    assert len(files) == 5
    assert [name for name, _ in chain.built.steps] == ["chain.psp"]
    assert await chain.built.steps[0][1](chain.clock.now()) == 0
    chain.close()
