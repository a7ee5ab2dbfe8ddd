"""The records that are committed, and what pages read them with."""

import json
import math
from pathlib import Path

import pytest

from nlpcourse import records
from nlpcourse.errors import CourseError
from nlpcourse.paths import project_root

TOPIC = "embeddings"


def test_every_committed_record_can_be_read() -> None:
    names = {run.name for run in records.load(TOPIC, preset="laptop")}
    assert names == {"sgns", "cbow", "fasttext", "glove", "ppmi-svd", "sentences"}
    for path in records.folder(TOPIC).glob("*.json"):
        assert path.stat().st_size <= 100_000
        content = json.loads(path.read_text())
        if "seed" in content:
            run = records.read(content, path)
            assert path.name.startswith(f"{run.name}-{run.preset}-") and path.name.endswith(
                f"-{run.seed}.json"
            )
            assert len(run.commit) == 40, "a record is of a commit, without changes"


def test_five_seeds_of_every_run_on_the_same_data() -> None:
    runs = records.load(TOPIC, preset="laptop")
    assert {run.seed for run in runs} == {0, 1, 2, 3, 4}
    assert len({run.data["sha256"] for run in runs}) == 1
    for name in {run.name for run in runs}:
        mine = records.load(TOPIC, preset="laptop", name=name)
        assert [run.seed for run in mine] == [0, 1, 2, 3, 4]
        assert all(run.config == mine[0].config for run in mine)


def test_an_older_record_may_lack_what_came_later_and_nothing_else() -> None:
    path = next(records.folder(TOPIC).glob("sgns-*.json"))
    content = json.loads(path.read_text())
    old = {key: value for key, value in content.items() if key not in ("mfu", "tokens", "setting")}
    assert records.read(old, path).mfu is None
    with pytest.raises(CourseError, match="look at mfus, words; run it again"):
        records.read({**{key: value for key, value in old.items() if key != "words"}, "mfus": 1}, path)


def test_the_map_is_whole() -> None:
    content = records.word_map(TOPIC)
    known = {path.stem for path in records.folder(TOPIC).glob("*.json")}
    assert content["run"] in known
    assert len({each["word"] for each in content["words"]}) == len(content["words"]) == 400
    for each in content["words"]:
        assert max(abs(each["x"]), abs(each["y"])) <= 1
        cosines = [cosine for _, cosine in each["near"]]
        assert len(cosines) == 8 and cosines == sorted(cosines, reverse=True) and cosines[0] <= 1
        assert each["word"] not in [word for word, _ in each["near"]]


def test_the_map_is_light_and_every_word_has_a_neighbour_on_it() -> None:
    words = records.word_map(TOPIC)["words"]
    on_it = {each["word"] for each in words}
    assert not [each["word"] for each in words if not on_it & {word for word, _ in each["near"]}]
    assert (records.folder(TOPIC) / "map.json").stat().st_size < 100_000


def test_what_is_no_record_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "records" / TOPIC
    folder.mkdir(parents=True)
    (tmp_path / "chapters").mkdir()
    (tmp_path / "_toc.yml").touch()
    monkeypatch.chdir(tmp_path)
    assert project_root() == tmp_path
    with pytest.raises(CourseError, match="nlpcourse train NAME --preset laptop --record"):
        records.load(TOPIC, preset="laptop")
    with pytest.raises(CourseError, match=r"there is no .*map\.json"):
        records.word_map(TOPIC)
    (folder / "a.json").write_text('{"preset": "laptop", "seed": 1, "name": "a"}')
    with pytest.raises(CourseError, match=r"a\.json is not a record of this version: look at baselines"):
        records.load(TOPIC, preset="laptop")


def test_the_spread_is_that_of_a_sample() -> None:
    mean, deviation = records.spread([1.0, 2.0, 3.0])
    assert (mean, deviation) == (2.0, 1.0)
    assert math.isnan(records.spread([1.0])[1])
