"""An institution whose connector is run by a supplier: the log names the mandate in every entry of its messages."""

from pathlib import Path

from tests.journeys.nation import nation

from wissel.assembly.demo.play import Wish
from wissel.institution.samples import sample_houses
from wissel.messages.verify import parse, unb64


async def test_each_entry_of_what_a_supplier_sends_names_its_mandate(tmp_path: Path) -> None:
    house = next(each for each in sample_houses() if each.short == "land")
    async with nation(tmp_path / "data") as here:
        learner = await here.learner("everything-fine")
        process = await here.enrol(learner, Wish(brin=house.settings.brin, programme="56551"))
        await here.until("process.forgotten", process)
        copies = here.copies("learners/everything-fine")
    accepted = [parse(unb64(copy["leaves"][0]["entry"])) for copy in copies]
    named = {entry["source"]: entry.get("mandate", "") for entry in accepted}
    assert named.pop(house.urn) == house.mandate != ""
    assert len(named) > 3
    assert not any(named.values()), "nobody else speaks under a mandate"
