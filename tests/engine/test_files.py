"""Which file is the model, what it is, and where what is known of it is kept."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from localpower.catalogue import DEFAULT, locate
from localpower.engine import files
from localpower.engine.files import check_file, recall, remember, sha256
from localpower.engine.parts import parts_of
from localpower.engine.weights import Weights
from localpower.errors import ModelError
from localpower.folders import kept_in
from localpower.loading import Request, load
from tests.gguf_files import _Writer, write_bert, write_llama

# A user whom the system does not know, as in `docker run -u 4711`.
UNKNOWN = """
import pwd
def unknown(*_):
    raise KeyError("uid not found")
pwd.getpwuid = pwd.getpwnam = unknown
"""


def localpower(*command, cwd, home=None, stdin=""):
    """localpower in a process of its own; home None: there is none."""
    (cwd / "sitecustomize.py").write_text(UNKNOWN)
    hidden = ("HOME", "LOCALPOWER_CACHE", "LOCALPOWER_STATE", "LOCALPOWER_DATA")
    plain = {k: v for k, v in os.environ.items() if k not in hidden and not k.startswith("XDG")}
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    more = {"PYTHONPATH": f"{cwd}:{here}", "TMPDIR": str(cwd / "tmp")} | ({"HOME": str(home)} if home else {})
    (cwd / "tmp").mkdir(exist_ok=True)
    line = [sys.executable, "-m", "localpower", *map(str, command)]
    return subprocess.run(
        line, cwd=cwd, env=plain | more, input=stdin, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    return write_llama(tmp_path_factory.mktemp("split") / "m.gguf", split=8)


def test_all_parts_of_a_model_are_its_identity(split, tmp_path):
    others = write_llama(tmp_path / "m.gguf", seed=9, split=8)
    before = sha256(others[0])
    others[1].write_bytes(split[1].read_bytes())
    assert sha256(others[0]) != before
    assert len(parts_of(split[0])) == len(split) > 1


def test_parts_that_are_exchanged_for_others_of_the_same_size_and_time_are_noticed(tmp_path):
    parts, others = (
        write_llama(tmp_path / name / "m.gguf", seed=i, split=8) for i, name in enumerate(made(tmp_path))
    )
    for part in (*parts, *others):
        os.utime(part, ns=(10**18, 10**18))
    before = sha256(parts[0])
    others[1].replace(parts[1])
    assert sha256(parts[0]) != before


def made(folder):
    for name in ("a", "b"):
        (folder / name).mkdir()
    return ("a", "b")


def test_a_split_model_is_loaded_and_answers(split):
    loaded = load(Request(str(split[0])))
    assert loaded.info.sha256 == sha256(split[0])
    loaded.close()


def test_a_later_part_in_the_place_of_the_first_says_which_to_open(split):
    with pytest.raises(ModelError, match=f"is part 2 of {len(split)}.*") as caught:
        check_file(split[1], [])
    assert split[0].name in caught.value.hint


def test_a_part_that_is_missing_is_named(tmp_path):
    parts = write_llama(tmp_path / "m.gguf", split=8)
    parts[-1].unlink()
    with pytest.raises(ModelError, match=f"part {len(parts)} of {len(parts)} of the model is missing"):
        check_file(parts[0], [])


def test_a_part_under_another_name_is_told_which_names_parts_keep(split, tmp_path):
    (tmp_path / "model.gguf").symlink_to(split[0])
    with pytest.raises(ModelError, match="cannot load") as caught:
        load(Request(str(tmp_path / "model.gguf")))
    assert "they keep names such as model-00001-of-00003.gguf" in caught.value.hint


def test_a_whole_model_may_be_called_like_a_part(tmp_path):
    path = write_llama(tmp_path / "m-00002-of-00003.gguf")
    check_file(path, [])
    assert parts_of(path) == [path]


def test_a_pipe_or_a_device_is_no_model_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.gguf")
    for path in (tmp_path / "pipe.gguf", type(tmp_path)("/dev/zero")):
        with pytest.raises(ModelError, match=r"is a (named pipe|device or a socket)"):
            check_file(path, [])


def test_a_folder_does_not_hide_a_model_of_its_name_but_a_file_does(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab-base").mkdir()
    assert locate("lab-base")[1].is_file()
    (tmp_path / "lab-sft").touch()
    assert str(locate("lab-sft")[1]) == "lab-sft"


def test_the_default_model_is_none_of_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOCALPOWER_MODEL", raising=False)
    (tmp_path / DEFAULT).touch()
    assert str(locate(None)[1]) != DEFAULT


def test_a_model_that_reads_both_ways_is_said_not_to_write(tmp_path):
    with pytest.raises(ModelError, match="of the kind 'embedding': it does not write"):
        Weights(write_bert(tmp_path / "bert.gguf"))


def test_a_context_beyond_a_signed_number_is_not_shown_as_minus_one(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "tests.gguf_files._Writer.add_context_length",
        lambda out, _: out.add_uint32("llama.context_length", 2**32 - 1),
    )
    weights = Weights(write_llama(tmp_path / "m.gguf"))
    assert weights.n_ctx_train == 2**32 - 1
    weights.close()


def test_entries_that_were_not_used_for_longest_are_forgotten(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCALPOWER_CACHE", str(tmp_path))
    monkeypatch.setattr(files, "_MOST", 3)
    for i in range(3):
        remember("kind", str(i), i)
        os.utime(files._entry("kind", str(i)), (i, i))
    assert recall("kind", "0") == 0  # and with this it is the newest
    remember("kind", "3", 3)
    assert [recall("kind", str(i)) for i in range(4)] == [0, None, 2, 3]


@pytest.mark.parametrize("command", ["run", "chat"])
def test_a_user_without_a_home_is_answered_and_told_once_where_things_are_kept(command, tmp_path, tiny_paths):
    asked = ["ab"] if command == "run" else []
    done = localpower(
        command, "-m", tiny_paths["f32"], "--max-tokens", "4", *asked, cwd=tmp_path, stdin="ab\nab\n"
    )
    kept = (
        f"there is no home folder: what saves time is kept in {tmp_path}/tmp/localpower-{os.getuid()}/cache"
    )
    assert (done.returncode, done.stderr.count(kept)) == (0, 1), done.stderr
    assert (tmp_path / f"tmp/localpower-{os.getuid()}/cache/verdict").is_dir()
    assert not (tmp_path / "~").exists()


def test_eval_works_without_a_home(tmp_path, tiny_paths):
    command = ("eval", "tiny", "--limit", "1", "--max-tokens", "4", "--out", "o", "--method", "base", "-m")
    done = localpower(*command, tiny_paths["f32"], cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_home_that_is_a_file_is_no_home(tmp_path, monkeypatch):
    (tmp_path / "home").write_text("x")
    monkeypatch.delenv("LOCALPOWER_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder, note = kept_in("cache")
    assert folder == tmp_path / f"localpower-{os.getuid()}" / "cache"
    assert "cannot be written: what saves time is kept in" in note


def test_a_folder_among_the_temporary_files_that_others_can_write_is_not_used(tmp_path, monkeypatch):
    (tmp_path / f"localpower-{os.getuid()}").mkdir()
    (tmp_path / f"localpower-{os.getuid()}").chmod(0o777)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("LOCALPOWER_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    (tmp_path / "file").touch()
    assert kept_in("cache") == (None, f"{tmp_path}/file/localpower cannot be written: nothing is kept")
    remember("kind", "key", 1)
    assert recall("kind", "key") is None


def test_a_cache_that_can_only_be_read_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCALPOWER_CACHE", str(tmp_path))
    remember("kind", "key", 1)
    monkeypatch.setattr("os.access", lambda *_: False)
    assert recall("kind", "key") == 1
    assert kept_in("cache") == (tmp_path, f"{tmp_path} cannot be written: nothing new is kept there")


def test_a_model_without_a_vocabulary_is_refused_for_that(tmp_path, monkeypatch):
    plain = _Writer.add_tokenizer_model
    monkeypatch.setattr(_Writer, "add_tokenizer_model", lambda out, _: plain(out, "no_vocab"))
    with pytest.raises(ModelError, match="this model has no vocabulary"):
        Weights(write_llama(tmp_path / "m.gguf"))
