"""--copy-model: a model's file on the machine's own disk, copied once and checked."""

from __future__ import annotations

import pytest

from localpower.api.cluster import copying
from localpower.api.cluster.copying import copied
from localpower.cli.main import main
from localpower.engine.files import sha256
from localpower.errors import ModelError
from tests.cluster.made import rows_of


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A machine's own disk."""
    monkeypatch.setenv("LOCALPOWER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def shared(tmp_path):
    """A file on storage that machines share."""
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + bytes(range(256)) * 50)
    return path


def test_a_model_is_copied_once(cache, shared, monkeypatch):
    copy = copied(shared, sha256(shared))
    assert copy.is_relative_to(cache)
    assert copy.read_bytes() == shared.read_bytes()
    monkeypatch.setattr(copying, "_copy", lambda *_: pytest.fail("copied again"))
    assert copied(shared, sha256(shared)) == copy


def test_a_copy_that_was_damaged_is_made_anew(cache, shared):
    copied(shared, sha256(shared)).write_bytes(b"GGUF")
    assert copied(shared, sha256(shared)).read_bytes() == shared.read_bytes()


def test_another_file_than_the_eval_was_started_with_is_refused_and_not_kept(cache, shared):
    with pytest.raises(ModelError, match="is another model here"):
        copied(shared, "0" * 64)
    assert [path.name for path in cache.rglob("*") if path.suffix == ".gguf"] == []


def test_a_disk_without_room_gets_one_line(cache, shared, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(copying, "_copy", full)
    with pytest.raises(ModelError, match=r"cannot copy .*: No space left on device"):
        copied(shared, sha256(shared))


def test_a_copied_model_answers_as_the_model(tmp_path):
    """Its name, its power and its settings are the same: only the place is another."""
    arguments = ["eval", "lab-chain", "-m", "lab-base", "--limit", "2", "--seed", "1"]
    arguments += ["--method", "base,power"]
    assert main([*arguments, "--out", str(tmp_path / "one")]) == 0
    assert main([*arguments, "--out", str(tmp_path / "two"), "--copy-model"]) == 0
    assert rows_of(tmp_path / "two") == rows_of(tmp_path / "one")
    assert main([*arguments, "--out", str(tmp_path / "one"), "--copy-model"]) == 0  # and goes on there
