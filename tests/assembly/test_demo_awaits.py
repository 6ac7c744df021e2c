"""A story that does not end says what it waits for."""

from pathlib import Path

import pytest

from wissel.assembly.demo import play


@pytest.mark.parametrize(
    ("ref", "said"), [("never-downloads", "she never comes back to download"), ("everything-fine", "not answered yet")]
)
async def test_a_story_that_does_not_end_says_in_a_sentence_what_is_awaited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ref: str, said: str
) -> None:
    monkeypatch.setattr(play, "STORY_S_MAX", 0.2)
    log = tmp_path / "log.jsonl"
    log.write_text('{"event":"message.accepted","process":"p"}\n')
    with pytest.raises(play.StoryFailed, match=said):
        assert [line["event"] async for line in play.follow(log, "p", ref)] == ["never reached"]
