"""Models of other programs are found where those keep them, by names that -m takes; nothing is copied."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from localpower import catalogue, elsewhere
from localpower.catalogue import ENTRIES
from localpower.errors import ModelError

MODEL = ENTRIES["lab-base"].path()


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("OLLAMA_MODELS", "HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def ollama(folder, name, tag, digest="sha256:abc"):
    manifest = folder / "manifests" / "registry.ollama.ai" / name / tag
    manifest.parent.mkdir(parents=True, exist_ok=True)
    layers = [
        {"mediaType": "application/vnd.ollama.image.license", "digest": "sha256:no"},
        {"mediaType": "application/vnd.ollama.image.model", "digest": digest},
    ]
    manifest.write_text(json.dumps({"layers": layers}))
    blob = folder / "blobs" / digest.replace(":", "-")
    blob.parent.mkdir(exist_ok=True)
    shutil.copy(MODEL, blob)
    return blob


def test_a_model_of_ollama_is_found_by_its_manifest_with_and_without_its_tag(home):
    blob = ollama(home / ".ollama" / "models", "library/tiny", "latest")
    other = ollama(home / ".ollama" / "models", "me/own", "q8", "sha256:def")
    assert elsewhere.found() == {"ollama:tiny:latest": blob, "ollama:registry.ollama.ai/me/own:q8": other}
    for name in ("ollama:tiny", "ollama:tiny:latest", "OLLAMA:tiny"):
        assert catalogue.locate(name) == (name, blob)


def test_the_folder_of_ollama_may_be_another(home, monkeypatch):
    blob = ollama(home / "big disk", "library/tiny", "1b")
    monkeypatch.setenv("OLLAMA_MODELS", str(home / "big disk"))
    assert elsewhere.found() == {"ollama:tiny:1b": blob}


def test_files_of_lm_studio_and_of_the_hub_are_found(home):
    studio = home / ".lmstudio" / "models" / "owner" / "repo" / "a-Q4_0.gguf"
    hub = home / ".cache" / "huggingface" / "hub" / "models--o--r" / "snapshots" / "1f" / "b.gguf"
    for path in (studio, hub):
        path.parent.mkdir(parents=True)
        shutil.copy(MODEL, path)
    assert elsewhere.found() == {"hub:o/r/b": hub, "lmstudio:a-Q4_0": studio}


def test_what_is_damaged_is_left_out(home):
    folder = home / ".ollama" / "models"
    ollama(folder, "library/tiny", "latest").unlink()
    (folder / "manifests" / "registry.ollama.ai" / "library" / "tiny" / "bad").write_text("{")
    (folder / "manifests" / "stray").write_text("[]")
    assert elsewhere.found() == {}


def test_a_name_that_is_not_there_names_those_that_are(home):
    with pytest.raises(ModelError, match="there is no model hub:a/b") as wrong:
        catalogue.locate("hub:a/b")
    assert wrong.value.hint == "no model of hub was found on this machine"
    ollama(home / ".ollama" / "models", "library/tiny", "latest")
    with pytest.raises(ModelError, match="there is no model ollama:other") as wrong:
        catalogue.locate("ollama:other")
    assert wrong.value.hint == "there are ollama:tiny:latest"


def test_a_file_with_such_a_name_is_a_file(tmp_path, monkeypatch, home):
    monkeypatch.chdir(tmp_path)
    shutil.copy(MODEL, "hub:x")
    assert str(catalogue.locate("hub:x")[1]) == "hub:x"


def test_a_checksum_that_is_a_path_is_no_model(home):
    folder = home / ".ollama" / "models"
    for digest in ("../../../secret", "/etc/passwd", "sha256:" + "a" * 300):
        manifest = folder / "manifests" / "registry.ollama.ai" / "library" / "x" / str(len(digest))
        manifest.parent.mkdir(parents=True, exist_ok=True)
        layer = {"mediaType": "application/vnd.ollama.image.model", "digest": digest}
        manifest.write_text(json.dumps({"layers": [layer]}))
    (folder / "secret").write_text("x")
    assert elsewhere.found() == {}


def test_of_several_snapshots_the_newest_is_taken(home):
    hub = home / ".cache" / "huggingface" / "hub" / "models--o--r" / "snapshots"
    for name, when in (("aaaa", 2_000_000_000), ("bbbb", 1_000_000_000)):
        path = hub / name / "b.gguf"
        path.parent.mkdir(parents=True)
        shutil.copy(MODEL, path)
        os.utime(path, (when, when))
    assert elsewhere.found() == {"hub:o/r/b": hub / "aaaa" / "b.gguf"}
