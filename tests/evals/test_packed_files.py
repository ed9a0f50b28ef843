"""Packed files, parquet, and datasets as hubs keep them."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from localpower.errors import UserError
from localpower.evals import hub_layout, livecodebench, loaders, mmlu_pro, taskfile
from localpower.evals.sources import Source, read_rows
from tests.evals import harder_files as made
from tests.evals.files import lines, task_file

ROWS = [{"question": f"What is {i}+1?", "answer": f"#### {i + 1}"} for i in range(3)]
TEXT = lines(ROWS).encode()


def zst(data):
    return pa.compress(data, codec="zstd", asbytes=True)


def table(rows, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.Table.from_pylist(rows), path)


@pytest.mark.parametrize(
    "data", [gzip.compress(TEXT), zst(TEXT), zst(TEXT[:50]) + zst(TEXT[50:])], ids=["gz", "zst", "frames"]
)
def test_packed_lines_are_read(tmp_path, data):
    (tmp_path / "t.jsonl.zst").write_bytes(data)
    assert read_rows(tmp_path / "t.jsonl.zst") == ROWS


@pytest.mark.parametrize("pack", [gzip.compress, zst], ids=["gz", "zst"])
@pytest.mark.parametrize("cut", [6, -3], ids=["at the head", "at the end"])
def test_a_packed_file_that_was_cut_off_is_said_to_be_so(tmp_path, pack, cut):
    (tmp_path / "t.jsonl.gz").write_bytes(pack(os.urandom(400) + TEXT)[:cut])
    with pytest.raises(UserError, match=r"t\.jsonl\.gz: it is damaged"):
        read_rows(tmp_path / "t.jsonl.gz")


@pytest.mark.parametrize("pack", [gzip.compress, zst], ids=["gz", "zst"])
def test_livecodebench_is_read_line_by_line_from_a_packed_file(tmp_path, pack):
    text = "\ufeff" + lines([made.LCB_STDIN, made.LCB_FUNCTION]).replace("\n", "\r\n\r\n")
    data = pack(text.encode())
    (tmp_path / "t.jsonl.zst").write_bytes(data)
    assert len(livecodebench.problems(Source(tmp_path / "t.jsonl.zst"))) == 2
    (tmp_path / "t.jsonl.zst").write_bytes(data[:-3])
    with pytest.raises(UserError, match="it is damaged"):
        livecodebench.problems(Source(tmp_path / "t.jsonl.zst"))


def test_a_line_of_livecodebench_that_is_no_json_is_named(tmp_path):
    (tmp_path / "t.jsonl").write_text(lines([made.LCB_STDIN]) + "{oops\n")
    with pytest.raises(UserError, match=r"line 2 of t\.jsonl"):
        livecodebench.problems(Source(tmp_path / "t.jsonl"))


def test_rows_of_parquet_are_read_with_their_lists(tmp_path):
    table([made.MMLU_PRO], tmp_path / "test-00000-of-00001.parquet")
    (problem,) = mmlu_pro.problems(Source(tmp_path / "test-00000-of-00001.parquet"))
    assert problem.options == tuple(made.MMLU_PRO["options"])


@pytest.mark.parametrize("keep", [slice(None, 100), slice(None, -20), slice(4, None)])
def test_a_damaged_parquet_file_is_one_line(tmp_path, keep):
    table(ROWS, tmp_path / "t.parquet")
    (tmp_path / "t.parquet").write_bytes((tmp_path / "t.parquet").read_bytes()[keep])
    words = r"cannot read t\.parquet: it is damaged, or no parquet file"
    with pytest.raises(UserError, match=words) as error:
        read_rows(tmp_path / "t.parquet")
    assert "\n" not in error.value.line()


README = """---
license: mit
configs:
- config_name: hard
  data_files:
  - split: test
    path: hard/test-*.parquet
  - split: train
    path: [hard/train.parquet]
- config_name: easy
  data_files: easy/*.jsonl
---
# A dataset
"""


def dataset(path):
    table(ROWS[:2], path / "hard" / "test-00000-of-00002.parquet")
    table(ROWS[2:], path / "hard" / "test-00001-of-00002.parquet")
    table(ROWS[:1], path / "hard" / "train.parquet")
    (path / "easy").mkdir()
    (path / "easy" / "a.jsonl").write_bytes(TEXT)
    (path / "README.md").write_text(README)


def names(paths):
    return [path.name for path in paths]


def test_the_readme_says_which_files_a_configuration_has(tmp_path):
    dataset(tmp_path)
    assert names(hub_layout.files(tmp_path, "hard")) == [f"test-0000{i}-of-00002.parquet" for i in (0, 1)]
    assert names(hub_layout.files(tmp_path, "hard", "train")) == ["train.parquet"]
    assert names(hub_layout.files(tmp_path, "easy")) == ["a.jsonl"]


def test_one_of_several_configurations_must_be_named(tmp_path):
    dataset(tmp_path)
    with pytest.raises(UserError, match="has 2 configurations") as error:
        hub_layout.files(tmp_path)
    assert "hard, easy" in error.value.line()


def test_a_pattern_that_leads_out_of_the_folder_names_nothing(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.jsonl").write_bytes(TEXT)
    (tmp_path / "in" / "README.md").write_text("---\nconfigs:\n- data_files: ../*.jsonl\n---\n")
    with pytest.raises(UserError, match="files of the split train that are not there"):
        hub_layout.files(tmp_path / "in")


def test_without_configurations_the_names_tell_the_splits(tmp_path):
    for name in ("train-00000-of-00001", "validation-00000-of-00001", "test-00000-of-00001"):
        table(ROWS, tmp_path / "data" / f"{name}.parquet")
    assert names(hub_layout.files(tmp_path)) == ["test-00000-of-00001.parquet"]
    assert names(hub_layout.files(tmp_path, split="validation")) == ["validation-00000-of-00001.parquet"]
    with pytest.raises(UserError, match="no split dev"):
        hub_layout.files(tmp_path, split="dev")


def test_a_folder_of_files_that_no_readme_joins_is_no_dataset(tmp_path):
    (tmp_path / "svamp.json").write_bytes(TEXT)
    assert hub_layout.files(tmp_path) == []
    with pytest.raises(UserError, match="gsm8k needs the file"):
        loaders.gsm8k(Source(tmp_path))


def test_front_matter_that_is_no_yaml_is_one_line(tmp_path):
    (tmp_path / "README.md").write_text("---\nconfigs: [\n---\n")
    with pytest.raises(UserError, match="is no YAML") as error:
        hub_layout.files(tmp_path)
    assert "\n" not in error.value.line()


def test_a_built_in_task_reads_a_dataset_with_numbers_that_go_on_over_its_files(tmp_path):
    table(ROWS[:2], tmp_path / "data" / "test-00000-of-00002.parquet")
    table(ROWS[2:], tmp_path / "data" / "test-00001-of-00002.parquet")
    assert [problem.id for problem in loaders.gsm8k(Source(tmp_path))] == ["gsm8k/0", "gsm8k/1", "gsm8k/2"]


def test_a_task_file_names_a_dataset_its_configuration_and_its_split(tmp_path):
    dataset(tmp_path / "set")
    file = task_file(tmp_path, [], data="set", config="hard", split="train", answer="answer")
    (problem,) = taskfile.read(Path(file)).problems(Source())
    assert problem.text == "What is 0+1?"
