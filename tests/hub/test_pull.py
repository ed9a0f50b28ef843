"""A model comes whole and right or not at all, is fetched once, and lies where the hub's own programs find it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading

import huggingface_hub
import pytest

from localpower import catalogue, elsewhere
from localpower.api.pull import Progress, Several, pull
from localpower.errors import ModelError, UserError
from tests.hub.conftest import content
from tests.hub.stand_in import COMMIT


def fetched(name, **more):
    return pull(name, Progress(pause=lambda _: None, **more))


def unfinished():
    return sorted(each.stat().st_size for each in elsewhere.hub_cache().rglob("*.incomplete"))


def test_a_model_lies_where_the_hubs_own_library_and_hub_names_find_it(hub):
    done = fetched("o/r/a-Q4_0.gguf")
    assert done.path.read_bytes() == content(1)
    assert (done.name, done.came, done.size) == ("hub:o/r/a-Q4_0", 300_000, 300_000)
    assert catalogue.locate(done.name) == (done.name, done.path)
    own = huggingface_hub.try_to_load_from_cache("o/r", "a-Q4_0.gguf", cache_dir=elsewhere.hub_cache())
    assert own == str(done.path)
    (repo,) = huggingface_hub.scan_cache_dir(elsewhere.hub_cache()).repos
    assert (repo.repo_id, repo.size_on_disk) == ("o/r", 300_000)


def test_a_model_that_is_here_is_fetched_no_second_time(hub):
    fetched("o/r:Q4_0")
    hub.asked.clear()
    assert fetched("o/r:Q4_0").came == 0
    assert hub.asked == []


@pytest.mark.parametrize(
    "name",
    [
        "o/r/a-Q4_0.gguf",
        "o/r/a-Q4_0",
        "o/r:q4_0",
        "hub:o/r/a-Q4_0",
        "https://huggingface.co/o/r/blob/main/a-Q4_0.gguf?download=true",
    ],
)
def test_a_file_is_named_as_people_name_it(hub, name):
    assert fetched(name).path.name == "a-Q4_0.gguf"


def test_a_cut_connection_costs_only_the_missing_bytes(hub):
    hub.cuts = [100_000, 50_000]
    assert fetched("o/r:Q4_0").came == 300_000
    assert [said for _, said, _ in hub.asked] == [None, "bytes=100000-", "bytes=150000-"]


def test_a_connection_that_is_cut_again_and_again_but_brings_something_is_gone_on_with(hub):
    hub.cuts = [20_000] * 14
    assert fetched("o/r:Q4_0").came == 300_000


def test_what_came_before_the_connection_was_lost_for_good_is_kept_for_the_next_time(hub):
    hub.cuts = [120_000, *[0] * 9]
    with pytest.raises(UserError, match="could not be fetched") as wrong:
        fetched("o/r:Q4_0")
    assert "120 kB of 300 kB are kept" in wrong.value.hint
    assert unfinished() == [120_000]
    hub.cuts, hub.asked = [], []
    assert fetched("o/r:Q4_0").came == 180_000
    assert hub.asked[0][1] == "bytes=120000-"
    assert unfinished() == []


def test_a_server_that_hangs_up_at_once_is_given_up_after_some_tries(hub):
    hub.cuts = [0] * 99
    pauses = []
    with pytest.raises(UserError, match="could not be fetched"):
        pull("o/r:Q4_0", Progress(pause=pauses.append))
    assert (len(hub.asked), len(pauses), sum(pauses) < 20) == (6, 5, True)


def test_an_error_of_the_server_is_tried_again(hub):
    hub.file_status = [503, 500]
    assert fetched("o/r:Q4_0").came == 300_000


def test_a_server_that_ignores_ranges_sends_the_whole_file_anew(hub):
    hub.cuts, hub.ranges = [100_000], False
    assert fetched("o/r:Q4_0").path.read_bytes() == content(1)


def test_a_wrong_checksum_is_refused_and_the_file_removed(hub):
    hub.hashes["a-Q4_0.gguf"] = hashlib.sha256(b"other").hexdigest()
    with pytest.raises(ModelError, match="its checksum differs"):
        fetched("o/r:Q4_0")
    assert [each for each in elsewhere.hub_cache().rglob("*") if each.is_file()] == []
    assert elsewhere.found() == {}


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"<html>log in first</html>", "is no GGUF file but text/html"),
        (b"<" * 400_000, "is no GGUF file but text/html"),
        (b"GGUF" + b"x" * 400_000, "sent more"),
    ],
)
def test_a_proxys_page_or_too_much_in_the_place_of_a_file_is_refused(hub, sent, words):
    hub.page = sent
    with pytest.raises(ModelError, match=words):
        fetched("o/r:Q4_0")
    assert elsewhere.found() == {}


def test_a_page_in_the_place_of_a_listing_is_one_line(hub):
    hub.listing = b"<html>log in first</html>"
    with pytest.raises(UserError, match="does not answer as a model hub does"):
        fetched("o/r")


def test_a_file_that_is_no_gguf_is_refused(hub):
    hub.repos["o/r"]["c.gguf"] = b"PK\3\4" + b"x" * 100
    with pytest.raises(ModelError, match="is no GGUF file"):
        fetched("o/r/c.gguf")


def test_of_several_models_one_is_to_be_named_and_each_is_shown_with_its_size(hub):
    with pytest.raises(Several) as wrong:
        fetched("o/r")
    assert wrong.value.files == ["a-Q4_0.gguf (300 kB)", "b-Q8_0.gguf (300 kB)"]
    assert hub.asked == []


def test_the_only_model_needs_no_name(hub):
    hub.repos["o/one"] = {"x.gguf": content(3), "mmproj-x.gguf": content(4)}
    assert fetched("o/one").name == "hub:o/one/x"


def test_a_model_in_parts_is_fetched_whole_and_named_by_its_first(hub):
    parts = {f"q/m-0000{i}-of-00003.gguf": content(i) for i in (1, 2, 3)}
    hub.repos["o/split"] = parts
    done = fetched("o/split/q/m-00002-of-00003.gguf")
    assert (done.name, done.path.name, done.came) == ("hub:o/split/q/m", "m-00001-of-00003.gguf", 900_000)
    assert [each.name for each in sorted(done.path.parent.iterdir())] == [
        name.removeprefix("q/") for name in parts
    ]
    assert list(elsewhere.found()) == ["hub:o/split/q/m"]


def test_a_redirect_to_another_host_is_followed_without_the_token(hub, monkeypatch):
    hub.redirect = True
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert fetched("o/r:Q4_0").path.read_bytes() == content(1)
    assert [token for _, _, token in hub.asked] == [None]


def test_a_token_is_sent_to_the_hub(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    fetched("o/r:Q4_0")
    assert hub.asked[0][2] == "Bearer hf_secret"


@pytest.mark.parametrize(
    ("status", "words", "hint"),
    [
        ((401, "RepoNotFound"), "has no repository o/r that you may read", "HF_TOKEN"),
        ((404, "RepoNotFound"), "has no repository o/r that you may read", "check the name"),
        ((403, "GatedRepo"), "o/r is only for those who accepted its terms", "HF_TOKEN"),
        ((403, ""), "does not let you read o/r", "HF_TOKEN"),
        ((429, ""), "too many requests", "wait"),
        ((500, ""), "answers with error 500", "later"),
    ],
)
def test_a_refusal_says_what_to_do(hub, status, words, hint):
    hub.status["o/r"] = status
    with pytest.raises(UserError, match=words) as wrong:
        fetched("o/r")
    assert hint in wrong.value.hint


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refused_file_is_one_line(hub, status):
    hub.file_status = [status]
    with pytest.raises(UserError):
        fetched("o/r:Q4_0")


def test_without_a_network_nothing_is_waited_for(hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UserError, match=r"cannot reach 127.0.0.1:9") as wrong:
        pull("o/r", Progress(pause=lambda _: pytest.fail("it was waited")))
    assert "network" in wrong.value.hint


def test_a_disk_without_room_is_told_before_anything_comes(hub, monkeypatch):
    free = type("Usage", (), {"free": 1_000_000})
    monkeypatch.setattr("shutil.disk_usage", lambda _: free)
    with pytest.raises(UserError, match=r"300 kB are still to be fetched, and the disk of .* has 1 MB free"):
        fetched("o/r:Q4_0")
    assert hub.asked == []


def test_a_disk_that_fills_up_is_one_line_and_what_came_is_kept(hub):
    code = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); "
        "from localpower.cli.main import main; import sys; sys.exit(main(['models', 'pull', 'o/r:Q4_0']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("localpower: cannot write a-Q4_0.gguf: File too large")
    assert unfinished() == [100_000]
    assert fetched("o/r:Q4_0").came == 200_000


def test_two_at_once_fetch_a_file_once(hub):
    at_work, waiting = threading.Event(), threading.Event()

    def came(_):
        at_work.set()
        assert waiting.wait(30)

    found = []
    first = threading.Thread(target=lambda: found.append(fetched("o/r:Q4_0", came=came)))
    first.start()
    assert at_work.wait(30)

    def said(text):
        if text.startswith("Another program"):
            waiting.set()

    found.append(fetched("o/r:Q4_0", said=said))
    first.join()
    assert sorted(each.came for each in found) == [0, 300_000]
    assert (len(hub.asked), unfinished()) == (1, [])


@pytest.mark.parametrize(
    "name", ["nosuch", "smol/", "a/b/../../x", "o/r/nosuch.gguf", "o/" + "x" * 300, "ö/r"]
)
def test_a_wrong_name_is_one_line(hub, name):
    with pytest.raises(UserError) as wrong:
        fetched(name)
    assert "\n" not in wrong.value.line()


def test_a_file_whose_name_leads_out_of_the_cache_is_refused(hub):
    hub.repos["o/r"]["../../evil.gguf"] = content(9)
    with pytest.raises(ModelError, match="leads elsewhere"):
        fetched("o/r:Q4_0")


def test_a_model_of_the_catalogue_is_said_to_be_untried_before_it_is_asked_for(hub):
    entry = catalogue.ENTRIES["qwen3-0.6b"]
    hub.repos[entry.where.repo] = {entry.where.file: content(5)}
    notes = []
    done = fetched("QWEN3-0.6b", note=lambda text: notes.append((text, len(hub.asked))))
    assert (done.name, catalogue.locate("qwen3-0.6b")[1]) == ("qwen3-0.6b", done.path)
    assert [(("nobody of localpower has tried" in text), n) for text, n in notes] == [(True, 0)]
    assert catalogue.entry_of(f"hub:{entry.where.repo}/{entry.where.file.removesuffix('.gguf')}") is entry


def test_the_commit_of_the_branch_is_kept_for_programs_without_a_network(hub):
    done = fetched("o/r:Q4_0")
    assert (done.path.parents[2] / "refs" / "main").read_text() == COMMIT
    assert os.readlink(done.path).startswith("../../blobs/")


def test_where_links_are_not_made_the_file_lies_by_its_name(hub, monkeypatch):
    monkeypatch.setenv("HF_HUB_DISABLE_SYMLINKS", "1")
    done = fetched("o/r:Q4_0")
    assert not done.path.is_symlink()
    assert fetched("o/r:Q4_0").came == 0


ADDRESSES = ("nowhere", "http://[", "ftp://x", "http://x:99999", "http://", "http://a\nb")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        *(("HF_ENDPOINT", address, "HF_ENDPOINT is no address") for address in ADDRESSES),
        ("HF_HUB_OFFLINE", "1", "HF_HUB_OFFLINE is set"),
        ("HF_TOKEN", "hf_é", "HF_TOKEN is no token"),
    ],
)
def test_a_variable_of_the_hub_that_stands_in_the_way_is_one_line(hub, monkeypatch, name, value, words):
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=words):
        fetched("o/r")
