"""An export of a real eval, from the files that trainers read back to what was sampled."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys

import pytest

import localpower as lp
from localpower.cli.main import main
from localpower.completion import Rules
from localpower.data.formats import FORMATS, IGNORED, PROVENANCE, row_of
from localpower.data.samples import Choice, Source, samples_of
from localpower.evals.grade import Grader
from localpower.evals.jobs import Job, RenderedProblem
from localpower.evals.making import make_rows
from localpower.evals.problem import Problem
from localpower.evals.store import read
from localpower.evals.tasks import TASKS
from localpower.loaded.reader import GgufReader
from localpower.loaded.toy import LoadedToy
from localpower.samplers import Ancestral
from tests.data.made import sample
from tests.evals.test_report import row, write

METHODS = ("base", "power:alpha=2:steps=3", "smc:alpha=2:particles=3", "best-of-n:matched:alpha=2")
ALL = tuple(FORMATS)


@pytest.fixture(scope="module")
def run(own_cache, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "lab"
    return lp.evaluate("lab-sum", "lab-base", METHODS, limit=6, samples=3, seed=1, out=out)


@pytest.fixture(scope="module", params=[False, True], ids=["jsonl", "parquet"])
def data(request, run, tmp_path_factory):
    out = tmp_path_factory.mktemp("data") / "d"
    return lp.export(
        run, out=out, formats=ALL, methods="all", duplicates="keep", parquet=request.param,
        split="train=.5,validation=.5",
    )  # fmt: skip


def both(data, form):
    return [row for split in data.record.rows for row in data.rows(form, split)]


def place(row):
    return row["problem_id"], row["method"], row["sample"]


def test_token_rows_are_the_ids_that_were_asked_and_sampled_and_no_prompt_is_trained_on(run, data):
    stored = read(run.path)
    asked = {id: problem["prompts"]["lab-base"]["tokens"] for (_, id), problem in stored.problems.items()}
    drawn = {(answer.id, answer.method, answer.sample): list(answer.tokens) for answer in run.answers}
    rows = both(data, "tokens")
    assert len(rows) == len(drawn) == 6 * 3 * 4
    for found in rows:
        prompt, answer = asked[found["problem_id"]], drawn[place(found)]
        assert found["input_ids"] == prompt + answer
        assert found["labels"] == [IGNORED] * len(prompt) + answer
        assert found["attention_mask"] == [1] * len(prompt + answer)


def test_the_end_token_is_trained_on(data):
    (end,) = lp.load("lab-base").loaded.weights.eos
    assert {found["labels"][-1] for found in both(data, "tokens")} == {end}
    assert data.record.ended == 72


def test_the_note_on_a_missing_chat_template_names_the_formats_that_are_written(run, tmp_path):
    def told(*formats):
        found = lp.export(run, out=tmp_path / "-".join(formats), methods="power", formats=formats)
        return [note for note in found.record.notes if "without a chat template" in note]

    assert told("tokens") == []
    (note,) = told("sharegpt")
    assert note.endswith("asked without a chat template, and `sharegpt` puts one around them")
    (note,) = told("messages", "tokens")
    assert note.endswith("and `messages` puts one around them; `tokens` has what was asked")


@pytest.mark.parametrize("some", [True, False])
def test_the_vocabulary_is_freed_also_where_no_answer_is_left(run, tmp_path, monkeypatch, some):
    freed = []
    close = GgufReader.close
    monkeypatch.setattr(GgufReader, "close", lambda reader: (freed.append(reader), close(reader)))
    if some:
        lp.export(run, out=tmp_path / "d", methods="power")
    else:
        monkeypatch.setattr("localpower.api.export_selection.select", lambda *_: ([], []))
        with pytest.raises(lp.UserError, match="no answer is left"):
            lp.export(run, out=tmp_path / "d", methods="power")
    assert len(freed) == 1


def test_the_card_names_only_settings_that_were_given_and_other_ends_only_where_there_are_some(run, tmp_path):
    lp.export(run, out=tmp_path / "d", methods="power")
    card = (tmp_path / "d" / "README.md").read_text()
    assert "null" not in card
    assert "- Every row ends with the model's end token.\n" in card
    assert "The others were cut off" not in card


READ = """
import json, sys
import datasets
datasets.disable_progress_bars()
folder, cache, *forms = sys.argv[1:]
print(json.dumps({
    form: {
        name: {
            "columns": part.column_names,
            "rows": part.to_list(),
            "log_weight": part.features["log_weight"].dtype,
            "same": part.features == datasets.Features.from_dict(part.features.to_dict()),
        }
        for name, part in datasets.load_dataset(folder, *form.split(), cache_dir=cache).items()
    }
    for form in forms
}))
"""


@pytest.fixture(scope="module")
def by_datasets(data, tmp_path_factory):
    """What it reads of each format, and of none, in a process of its own: it asks once whether it is offline."""
    cache = str(tmp_path_factory.mktemp("datasets"))
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": cache}
    command = [sys.executable, "-c", READ, str(data.path), cache, *FORMATS, ""]
    done = subprocess.run(command, env=offline, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("form", FORMATS)
def test_datasets_reads_each_format_offline_with_the_columns_that_were_written(data, by_datasets, form):
    found = by_datasets[form]
    names = [column.name for column in (*FORMATS[form].columns, *PROVENANCE)]
    assert {name: (part["columns"], len(part["rows"])) for name, part in found.items()} == {
        name: (names, n) for name, n in data.record.rows.items()
    }
    for name, part in found.items():
        assert part["rows"] == data.rows(form, name)
        assert (part["log_weight"], part["same"]) == ("float64", True)


def test_datasets_reads_the_first_format_where_none_is_named(by_datasets):
    assert "messages" in by_datasets[""]["train"]["columns"]


def test_messages_are_question_and_answer(run, data):
    texts = {(answer.id, answer.method, answer.sample): answer.text for answer in run.answers}
    for found in both(data, "messages"):
        asked, said = found["messages"]
        assert asked == {"role": "user", "content": found["problem_id"].removeprefix("lab-sum/")}
        assert said == {"role": "assistant", "content": texts[place(found)]}
        assert found["tools"] is None


def test_llama_factory_finds_its_files_columns_and_tags(data):
    info = json.loads((data.path / "dataset_info.json").read_text())
    for split in ("train", "validation"):
        one = info[f"localpower_{split}"]
        assert (data.path / one["file_name"]).is_file()
        tags = one["tags"]
        for found in data.rows("sharegpt", split):
            turns = found[one["columns"]["messages"]]
            assert [turn[tags["role_tag"]] for turn in turns] == [tags["user_tag"], tags["assistant_tag"]]
            assert all(isinstance(turn[tags["content_tag"]], str) for turn in turns)
            assert isinstance(found[one["columns"]["system"]], str)


def test_every_row_says_where_it_comes_from(run, data):
    answers = {(answer.id, answer.method, answer.sample): answer.to_dict() for answer in run.answers}
    model = run.settings["models"]["lab-base"]
    for found in both(data, "messages"):
        answer = answers[place(found)]
        assert found["seed"] == str(answer["seed"])
        assert json.loads(found["settings"]) == answer["settings"]
        assert found["token_logprobs"] == answer["token_log_p"]
        assert found["log_p"] == pytest.approx(answer["log_p"])
        assert found["log_weight"] == answer["log_z"]
        same = "task n_tokens verdict grader alpha finish version"
        assert {name: found[name] for name in same.split()} == {name: answer[name] for name in same.split()}
        assert (found["model_sha256"], found["quantization"]) == (model["sha256"], "F16")
    weighted = {found["method"] for found in both(data, "messages") if found["log_weight"] is not None}
    assert weighted == {"smc:alpha=2:particles=3", "best-of-n:matched:alpha=2"}


def test_an_answer_that_was_picked_by_log_p_has_no_weight(tmp_path):
    rows = [row("best-of-n", "i", "right", log_z=-3.0, guarantee=what) for what in ("asymptotic",)]
    rows.append(row("best-of-n", "i", "right", log_z=-3.0, guarantee="approximate", sample=1))
    _, found = samples_of([write(tmp_path / "r", rows)], Choice())
    assert [each.log_weight for each in found] == [-3.0, None]


@pytest.mark.parametrize("method", METHODS)
def test_the_command_on_the_card_makes_a_row_again(run, method, tmp_path, capsys):
    data = lp.export(run, out=tmp_path / "d", methods=method, duplicates="keep")
    words = shlex.split(data.record.rerun)
    assert data.record.rerun in (tmp_path / "d" / "README.md").read_text()
    assert main([*words[1:2], "--json", *words[2:]]) == 0
    again, first = json.loads(capsys.readouterr().out), data.rows("tokens")[0]
    assert again["tokens"] == [token for token in first["labels"] if token != IGNORED]
    assert again["log_p"] == pytest.approx(first["log_p"])


def test_the_same_export_has_the_same_bytes(run, tmp_path):
    for name in "ab":
        lp.export(run, out=tmp_path / name / "d", formats=ALL, methods="power", parquet=True)
    files = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file()]
    assert len(files) == 6
    assert all((tmp_path / "a" / each).read_bytes() == (tmp_path / "b" / each).read_bytes() for each in files)


def test_nothing_of_the_export_says_where_files_lay(data):
    for path in data.path.rglob("*"):
        if path.is_file():
            assert str(data.path.parent).encode() not in path.read_bytes()
            assert b"/models/" not in path.read_bytes()


def test_without_provenance_rows_have_what_trainers_read_alone(run, tmp_path):
    data = lp.export(run, out=tmp_path / "d", formats="tokens", methods="base", provenance=False)
    assert set(data.rows()[0]) == {"input_ids", "labels", "attention_mask"}


def test_a_given_token_has_no_loss():
    given = sample("abc", given=frozenset({1}))
    found = row_of("tokens", given, Source("m", None, None, None), provenance=False)
    assert found["labels"] == [IGNORED, IGNORED, ord("a"), IGNORED, ord("c")]


def test_an_eval_writes_down_which_tokens_were_given():
    loaded = LoadedToy()
    rules = Rules(given=lambda tokens: 1 if len(tokens) == 1 else None)
    problem = Problem("i", "the", {"form": "text", "answers": ["x"]})
    asked = RenderedProblem(TASKS["tiny"], problem, "the", (1,), False, 3, (), rules)
    job = Job(asked, "toy", "base", 0, 2, Ancestral("base", 1.0, 3, rules=rules), 1.0)
    with Grader() as grader:
        (row,) = make_rows(loaded, loaded.toy, [job], 1, grader, save_text=lambda _: True, check=lambda: None)
    assert row["given"] == [1]
    assert (row["tokens"][1], row["token_log_p"][1]) == (1, 0.0)


def test_a_system_message_comes_first_and_the_prompts_thought_is_opened():
    found = sample("x</think>4", system="Be brief.")
    assert [m["role"] for m in FORMATS["messages"].row(found)["messages"]] == ["system", "user", "assistant"]
    assert FORMATS["sharegpt"].row(found)["system"] == "Be brief."


def test_a_thought_that_the_prompt_opened_is_opened_in_the_messages(tmp_path):
    run = write(tmp_path / "r", [row("a", "i", "right", text="x</think>4")], prompt={"thinking": True})
    _, (found,) = samples_of([run], Choice())
    assert found.answer == "<think>\nx</think>4"


def test_export_on_the_command_line_prints_counts_and_writes_the_same(run, tmp_path, capsys):
    words = [
        "export",
        str(run.path),
        "--out",
        str(tmp_path / "d"),
        "--method",
        "power",
        "--keep",
        "right,best",
    ]
    assert main([*words, "--split", "train=.5,validation=.5", "--decontaminate", "tiny", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [step["name"] for step in found["steps"]][-1] == "not the likeliest"
    assert found["rows"] == {
        name: (tmp_path / "d" / "tokens" / f"{name}-00000-of-00001.jsonl").read_bytes().count(b"\n")
        for name in ("train", "validation")
    }
    assert main([*words, "--overwrite"]) == 0
    said = capsys.readouterr()
    assert "exact duplicates" in said.out
    assert "coverage" in said.out
    assert said.err.endswith(f"rows to {tmp_path / 'd'}\n")
