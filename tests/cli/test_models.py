"""Models by name: the catalogue, aliases, the list, and the power that a model brings."""

from __future__ import annotations

import json
import shutil
from datetime import date

import pytest

from localpower import catalogue, elsewhere
from localpower.api.aliases import take
from localpower.api.models import here
from localpower.catalogue import ENTRIES, NAMES, OnHub, entry_of, locate
from localpower.cli.main import main
from localpower.cli.models import lines
from localpower.errors import ModelError, UserError
from localpower.loaded import Preset, usual_alpha

RUN = ["run", "-m", "toy", "--seed", "1", "--max-tokens", "4", "--json", "a"]
BASE = ENTRIES["lab-base"].path()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    for name in ("HF_HOME", "HF_HUB_CACHE", "OLLAMA_MODELS", "LOCALPOWER_MODEL", "LOCALPOWER_MODELS_FOLDER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOCALPOWER_CONFIG", str(tmp_path / "config"))
    return tmp_path


def written(home, text=None):
    file = home / "config" / "config.toml"
    if text is not None:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return file.read_text()


# ---- the catalogue


def test_every_entry_says_why_its_alpha_is_what_it_is():
    for entry in ENTRIES.values():
        assert 1 <= entry.alpha <= 4
        assert len(entry.alpha_source) > 10


def test_what_comes_with_localpower_is_what_needs_no_hub():
    assert (*(name for name, entry in ENTRIES.items() if not isinstance(entry.where, OnHub)), "toy") == NAMES


def test_what_nobody_has_tried_is_not_called_verified():
    assert {name for name, entry in ENTRIES.items() if entry.verified} == {*NAMES} - {"toy"}


def test_a_name_that_is_nearly_one_is_answered_with_it():
    with pytest.raises(ModelError) as wrong:
        locate("smolm2")
    assert wrong.value.hint == "did you mean smollm2?"


def test_a_model_that_was_not_fetched_says_what_fetches_it():
    with pytest.raises(ModelError, match="qwen3-4b is not on this machine") as wrong:
        locate("Qwen3-4B")
    assert "localpower models pull qwen3-4b fetches it" in wrong.value.hint


# ---- the power where nobody says one


def test_the_models_own_power_goes_before_the_table():
    thinking = Preset(1.5, raw=False)
    assert usual_alpha(chat=True, preset=thinking) == 1.5
    assert usual_alpha(chat=False, preset=thinking) == 4.0  # --raw: it is no chat any more
    assert usual_alpha(chat=True, preset=Preset(4.0, raw=True)) == 4.0
    assert usual_alpha(chat=True) == 2.5


@pytest.mark.parametrize(
    ("config", "variable", "option", "alpha"),
    [
        ("", None, None, 1.5),
        ("alpha = 3", None, None, 3),
        ("alpha = 3", "2", None, 2),
        ("alpha = 3", "2", "5", 5),
    ],
)
def test_what_the_user_says_goes_before_what_the_model_brings(
    home, monkeypatch, capsys, config, variable, option, alpha
):
    monkeypatch.setattr("localpower.loaded.toy.LoadedToy.preset", Preset(1.5, raw=True), raising=False)
    monkeypatch.setattr("localpower.loading.LoadedToy", with_preset)
    written(home, config)
    if variable:
        monkeypatch.setenv("LOCALPOWER_ALPHA", variable)
    assert main([*RUN, *(["--alpha", option] if option else [])]) == 0
    assert json.loads(capsys.readouterr().out)["alpha"] == alpha


def with_preset(**more):
    from localpower.loaded.toy import LoadedToy

    return LoadedToy(preset=Preset(1.5, raw=True), **more)


def test_a_file_of_the_hub_has_the_power_of_its_entry():
    entry = ENTRIES["qwen3-0.6b"]
    assert entry_of("hub:Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0") is entry
    assert entry_of("hub:Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q4_0") is None


# ---- aliases


def test_an_alias_stands_for_its_model_wherever_one_is_named(capsys, monkeypatch):
    assert main(["models", "alias", "mine", "toy"]) == 0
    assert main(["models", "alias", "Other.1", "mine"]) == 0
    for name in ("mine", "MINE", "other.1"):
        assert main(["run", "-m", name, *RUN[3:]]) == 0
    monkeypatch.setenv("LOCALPOWER_MODEL", "other.1")
    assert main(["run", *RUN[3:]]) == 0
    assert {json.loads(line)["model"]["name"] for line in capsys.readouterr().out.splitlines()} == {"toy"}
    assert {"mine", "Other.1"} <= set(here())


def test_aliases_are_listed_shown_changed_and_taken_out(capsys, home):
    for target in ("toy", "lab-base"):
        assert main(["models", "alias", "mine", target]) == 0
    assert main(["models", "alias"]) == 0
    assert main(["models", "alias", "mine"]) == 0
    assert capsys.readouterr().out == "mine  lab-base\nlab-base\n"
    assert written(home) == '[aliases]\nmine = "lab-base"\n'
    assert main(["models", "alias", "--remove", "mine"]) == 0
    assert main(["models", "alias", "--remove", "mine"]) == 1
    assert "there is no alias mine" in capsys.readouterr().err


def test_other_lines_of_the_file_stay_as_they_are(home):
    before = '# mine\nalpha = 3 # three\n\n[aliases]\n# short\n"a.b" = "toy"\n\n[chat]\nsteps = 2\n'
    written(home, before)
    take("c", "lab-base")
    assert written(home) == before.replace('"toy"\n', '"toy"\nc = "lab-base"\n')
    take("a.b", "lab-sft")
    assert '"a.b" = "lab-sft"' in written(home)


@pytest.mark.parametrize("name", ["smollm2", "TOY", "Qwen3-4B"])
def test_an_alias_hides_no_model(name, capsys):
    assert main(["models", "alias", name, "lab-base"]) == 1
    assert "is a model of the catalogue" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["hub:x", "a/b", "", "a b", "-x", "x.gguf", "ä"])
def test_an_alias_is_like_a_word(name, capsys):
    assert main(["models", "alias", "--", name, "toy"]) == 1
    assert "is no name for an alias" in capsys.readouterr().err


def test_a_loop_is_refused(home):
    take("a", "toy")
    take("b", "a")
    with pytest.raises(UserError, match="would lead back to itself"):
        take("a", "B")
    with pytest.raises(UserError, match="would lead back to itself"):
        take("c", "C")
    written(home, '[aliases]\na = "b"\nb = "a"\n')
    with pytest.raises(ModelError, match="leads back to itself"):
        locate("a")


def test_a_path_is_kept_so_that_it_holds_in_every_folder(tmp_path, monkeypatch, capsys):
    shutil.copy(BASE, tmp_path / "m.gguf")
    monkeypatch.chdir(tmp_path)
    assert take("mine", "m.gguf")[0] == str(tmp_path / "m.gguf")
    assert main(["models", "default", "m.gguf"]) == 0
    monkeypatch.chdir("/")
    assert locate("mine")[1] == tmp_path / "m.gguf"
    assert main(["models", "path"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "m.gguf")


def test_what_is_no_model_gets_no_alias(capsys):
    assert main(["models", "alias", "mine", "/nosuch.gguf"]) == 1
    assert main(["models", "alias", "--", "mine", "hub:a/b/c"]) == 1
    assert main(["models", "alias", "mine", "qwen3-4b"]) == 0  # it may be fetched later


@pytest.mark.parametrize("text", ["[aliases]\na = 3\n", "[aliases]\na = ''\n", "[aliases]\na = ['x']\n"])
def test_an_alias_of_no_model_is_one_line(home, text, capsys):
    written(home, text)
    assert main(RUN) == 1
    assert "gives the alias a no model" in capsys.readouterr().err


# ---- lists and descriptions


def test_the_list_fits_80_columns_and_begins_with_the_default(capsys):
    assert main(["models", "default", "lab-sft"]) == 0
    assert main(["models", "list"]) == 0
    found = capsys.readouterr().out.splitlines()
    assert found[1].split() == ["lab-sft", "2", "MB", "F16", "MIT", "base", "4", "default"]
    assert max(map(len, found)) < 80
    assert sum("unverified" in line for line in found) == 1


def test_the_json_list_is_complete(capsys):
    assert main(["models", "alias", "mine", "toy"]) == 0
    assert main(["models", "list", "--json"]) == 0
    rows = {row["name"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert set(rows) == {*ENTRIES, "toy", "mine"}
    assert rows["mine"]["target"] == "toy"
    row = rows["qwen3-0.6b"]
    assert (row["bytes"], row["verified"], row["path"]) == (639_446_688, False, None)
    assert (row["repo"], row["template"], row["alpha"]) == ("Qwen/Qwen3-0.6B-GGUF", "thinking", 1.5)


def test_a_file_elsewhere_says_its_own_format_and_licence(home):
    from localpower.api.models import known

    folder = home / "models"
    folder.mkdir()
    shutil.copy(BASE, folder / "mine.gguf")
    (folder / "b-Q4_K_M.gguf").write_bytes(b"GGUF")
    assert main(["config", "set", "models-folder", str(folder)]) == 0
    rows = {row.name: row for row in known()}
    assert (rows["folder:mine"].quantization, rows["folder:b-Q4_K_M"].quantization) == ("F16", "Q4_K_M")
    assert locate("folder:mine")[1] == folder / "mine.gguf"
    assert any(line.startswith("folder:mine") for line in lines(list(rows.values())))


def test_a_models_folder_that_is_not_there_is_refused(capsys):
    assert main(["config", "set", "models-folder", "/nosuch"]) == 2


def test_two_files_of_one_name_in_lm_studio_are_told_apart_by_their_folders(home):
    for owner in ("x", "y"):
        path = home / ".lmstudio" / "models" / owner / "r" / "same.gguf"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"GGUF")
    assert list(elsewhere.found()) == ["lmstudio:x/r/same", "lmstudio:y/r/same"]


def test_a_description_says_where_its_alpha_comes_from_and_what_was_measured(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("LOCALPOWER_CACHE", str(tmp_path))  # nothing was measured yet
    assert main(["models", "show", "lab-base", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["suggested_alpha"], found["memory"]) == (4.0, "attention")
    assert (found["context"], found["vocabulary"], found["quantization"]) == (512, 32, "F16")
    assert "sweep.py" in found["alpha_source"]
    assert (found["exactness"], found["tokens_per_second"]) == (None, None)
    assert main(["run", "-m", "lab-base", "--max-tokens", "2", "1+1?"]) == 0
    capsys.readouterr()
    assert main(["models", "show", "lab-base", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["exactness"] == "exact"
    assert set(found["tokens_per_second"]) == {"1", "2", "4", "8", "16"}
    assert date.fromisoformat(found["measured_on"])


def test_the_toy_may_be_described_and_be_the_default(capsys, home):
    assert main(["models", "show", "toy"]) == 0
    assert "table of random numbers" in capsys.readouterr().out
    assert main(["models", "default", "toy"]) == 0
    assert main(["models", "default"]) == 0
    assert capsys.readouterr().out.startswith("toy (")
    assert main(["run", *RUN[3:]]) == 0
    assert json.loads(capsys.readouterr().out)["model"]["name"] == "toy"


def test_a_default_that_went_away_is_said_in_the_list(home, capsys):
    written(home, 'model = "/nosuch.gguf"\n')
    assert main(["models", "list"]) == 0
    out = capsys.readouterr().out
    assert "/nosuch.gguf" in out
    assert "there is no such model" in out


def test_a_model_is_looked_up_without_reading_the_catalogue_for_a_file(monkeypatch):
    monkeypatch.setattr(catalogue.entries, "_read", lambda: pytest.fail("it was read"))
    assert locate(str(BASE))[1] == BASE
