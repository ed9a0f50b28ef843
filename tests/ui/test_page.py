"""The page of a report: one file that loads nothing, obeys no text, and shows the report's numbers."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from localpower.cli.main import main
from localpower.evals.groups import groups
from localpower.evals.report import report
from localpower.evals.store import Stored
from localpower.ui.charts import doublings, linear, roof, ticks, together
from localpower.ui.columns import meaning
from localpower.ui.differences import marked
from localpower.ui.page import page
from localpower.ui.tables import judged_cells, sections
from tests.evals.test_report import HOSTILE, row, two_methods, write


def made(*runs, baseline=None):
    return page(report(runs, against=baseline), groups(runs))


def samples(n=6):
    return [
        row(m, f"i{i}", "right" if (i + s) % 3 == 0 or m == "b" else "wrong", sample=s, decoded_tokens=8)
        for m in "ab" for i in range(n) for s in range(4)
    ]  # fmt: skip


def problem(html, name):
    """The part of a problem, its tags left out."""
    (found,) = re.findall(
        rf"<summary><b>{name}</b>(.*?)(?=<details class=\"problem|</section>)", html, re.DOTALL
    )
    return re.sub(r"<[^>]*>", "", found)


class Tags(HTMLParser):
    """The elements that are open, of those that have to be closed, and all attributes."""

    CLOSED = ("div", "section", "svg", "g", "details", "table", "figure", "span", "pre", "script")

    def __init__(self):
        super().__init__()
        self.open, self.attributes = [], []

    def handle_starttag(self, tag, attrs):
        self.attributes += attrs
        self.open += [tag] * (tag in self.CLOSED)

    def handle_endtag(self, tag):
        assert tag not in self.CLOSED or self.open.pop() == tag


def check_closed(html):
    """It loads nothing, its elements are closed, and its own script is the only one."""
    assert not re.search(r"https?:|//\w+\.|@import|url\(", html.replace("http-equiv", ""))
    parser = Tags()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    assert html.count("<script>") == html.count("</script>") == 1
    assert not set(html) & set("\x1b\x07\u202e")
    return parser.attributes


def test_compare_writes_the_page(tmp_path, capsys):
    write(tmp_path / "r", two_methods())
    assert main(["compare", str(tmp_path / "r"), "--html", str(tmp_path / "p.html")]) == 0
    assert (tmp_path / "p.html").read_text().startswith("<!doctype html>")
    assert f"wrote {tmp_path / 'p.html'}" in capsys.readouterr().err


def test_the_page_is_one_file_that_may_load_nothing(tmp_path):
    attributes = check_closed(made(write(tmp_path / "r", samples())))
    assert not {"src", "data", "action", "onclick", "xlink:href"} & {name for name, _ in attributes}
    assert any(name == "content" and "default-src 'none'" in value for name, value in attributes)


def test_the_policy_allows_the_pages_own_script_alone(tmp_path):
    html = made(write(tmp_path / "r", two_methods(4)))
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html


def test_hostile_texts_are_shown_and_not_obeyed(tmp_path):
    names = {"task": "t" + HOSTILE, "model": "m"}
    rows = [row(m + HOSTILE, HOSTILE, "right", text=m + HOSTILE, **names) for m in "ab"]
    run = write(tmp_path / "r", rows)
    for each in run.problems.values():
        each |= {"question": HOSTILE, "group": HOSTILE, "gold": HOSTILE}
    html = made(run)
    check_closed(html)
    assert html.count("&lt;script&gt;alert(1)") > 6


def test_each_problem_shows_its_text_and_the_answers_of_all_methods(tmp_path):
    rows = [row(m, i, "right", text=f"{m} says {i}") for m in "ab" for i in ("p1", "p2")]
    run = write(tmp_path / "r", rows)
    run.problems["made", "p1"]["question"] = "How many rivers?"
    shown = problem(made(run), "p1")
    assert "How many rivers?" in shown
    assert "a says p1" in shown
    assert "b says p1" in shown
    assert "p2" not in shown


def test_a_secret_problem_shows_neither_its_text_nor_what_answers_quote_of_it(tmp_path):
    run = write(tmp_path / "r", [row("a", "gpqa/1", "right", text="it quotes the riddle", extracted="B")])
    told = run.problems["made", "gpqa/1"]
    told |= {"question": None, "prompts": {"m": {"text": "the riddle"}}}
    html = made(run)
    assert "riddle" not in html
    assert "not stored" in problem(html, "gpqa/1")


def test_the_legend_names_methods_and_marks(tmp_path):
    legend = made(write(tmp_path / "r", two_methods(4))).split("legend")[-1].split("<section")[0]
    words = re.sub(r"<[^>]*>", "", legend)
    for line in ("A a", "B b", "✓ correct", "✗ wrong", "∅ no answer found", "↻ repeats itself: 50 %"):
        assert line in words


def test_charts_show_the_numbers_of_the_report(tmp_path):
    run = write(tmp_path / "r", samples())
    html = made(run)
    a = report([run])["tasks"]["made"]["groups"][0]
    x = linear(0, 100, 8, 346)
    figures = dict(re.findall(r'<figure class="(\w+)">(.*?)</figure>', html, re.DOTALL))
    assert set(figures) == {"accuracy", "passes", "cost", "differences", "log_p", "confidence"}
    assert f'width="{x(100 * a["accuracy"]["value"]) - 8:.1f}"' in figures["accuracy"]
    assert f"H{x(100 * a['accuracy']['high'])}M" in figures["accuracy"]
    for point in a["pass_at"]:
        assert f"a: pass@{point['k']} {100 * point['value']:.1f} (" in figures["passes"]
    assert "a: cost 4.0x, accuracy 33.3 (" in figures["cost"]
    assert "+66.7, p 0.031" in figures["differences"]
    assert figures["log_p"].count(": 24 answers") == 2


def test_what_differs_from_the_baselines_answer_is_marked(tmp_path):
    texts = {"a": "so the sum of both is four", "b": "so the sum of both is five"}
    run = write(tmp_path / "r", [row(m, "i", "right", text=text) for m, text in texts.items()])
    assert "<mark>five</mark>" in made(run)
    assert "<mark>four</mark>" in made(run, baseline="b")
    assert "<mark>five</mark>" not in made(run, baseline="b")
    style = made(run).split("<style>")[1].split("</style>")[0]
    assert "\nmark{background:var(--mark)" in style
    assert [line for line in style.splitlines() if "background:none" in line] == [
        ".task:has(.marking:not(:checked)) mark{background:none}"
    ]


def test_problems_on_which_methods_agree_can_be_hidden_without_a_script(tmp_path):
    rows = [row(m, i, "right" if i == "p1" or m == "a" else "wrong") for m in "ab" for i in ("p1", "p2")]
    html = made(write(tmp_path / "r", rows))
    classes = dict(re.findall(r'<details class="([\w ]+)"><summary><b>(\w+)</b>', html))
    assert classes == {"problem same": "p1", "problem": "p2"}
    assert ".task:has(.differ:checked) .same{display:none}" in html
    assert re.search(r'<input type="checkbox" class="differ">', html)


def test_every_column_is_explained(tmp_path):
    run = write(tmp_path / "r", samples())
    html = made(run)
    for head in {head for heads, _ in sections(report([run])["tasks"]["made"]) for head in heads if head}:
        assert f"<dt>{head}<dd>{meaning(head)}" in html.replace("&#39;", "'")
    assert all(meaning(head) for head in judged_cells([])[0])


@pytest.mark.parametrize("verdict", ["right", "ungraded", "none"])
def test_one_method_and_one_problem_without_likelihoods_make_a_page(tmp_path, verdict):
    missing = {"log_p": 0.0, "token_log_p": [], "token_entropy": [], "n_tokens": 0, "tokens": [], "text": ""}
    html = made(write(tmp_path / "r", [row("a", "i", verdict, **missing)]))
    assert 'class="differ"' not in html
    assert ('<figure class="accuracy">' in html) == (verdict != "ungraded")
    assert '<figure class="log_p">' not in html


def test_a_missing_answer_leaves_the_others_in_their_places(tmp_path):
    rows = [row("a", "i", "right"), row("a", "i", "right", sample=1), row("b", "i", "wrong", sample=1)]
    shown = problem(made(write(tmp_path / "r", rows)), "i")
    assert shown.count("There is no answer yet.") == 1
    assert "A ✓✓B  ✗" in shown


def test_answers_that_repeat_themselves_are_said_to(tmp_path):
    rows = [row("a", "i", "right", tokens=[7] * 20), row("a", "j", "right", tokens=list(range(20)))]
    html = made(write(tmp_path / "r", rows))
    assert "repeats itself" in problem(html, "i")
    assert "repeats itself" not in problem(html, "j")


def test_long_answers_are_shortened_in_their_middle_so_that_a_large_run_is_a_small_file(tmp_path):
    text = "start " + "x" * 100_000 + " end"
    run = write(tmp_path / "r", [row("a", "i", "right", text=text)])
    html = made(run)
    assert len(html) < 60_000
    assert "start x" in html
    assert "x end" in html
    assert "80,010 characters are left out here" in html
    many = [row("a", f"i{i}", "right", sample=s, text="y" * 5000) for i in range(50) for s in range(60)]
    settings = write(tmp_path / "many", many[:1]).settings
    problems = {("made", f"i{i}"): run.problems["made", "i"] for i in range(50)}
    assert len(made(Stored(tmp_path / "many", settings, problems, many, []))) < 9_000_000


def test_pieces_joined_are_the_text_and_chance_agreements_stay_marked():
    base = "first we add two and two, which is four"
    text = "first we take two of the two, which is four"
    pieces = marked(text, base)
    assert "".join(piece for piece, _ in pieces) == text
    assert pieces[0] == ("first we ", False)
    assert pieces[-1] == (" two, which is four", False)
    assert [piece for piece, differs in pieces if differs] == ["take two of the"]
    assert marked(text, text) == [(text, False)]
    assert marked("", base) == []
    assert marked("a " * 400, "b " * 400)[0][1]


def test_scales_and_ticks():
    assert [linear(0, 10, 100, 0)(v) for v in (0, 5, 10)] == [100, 50, 0]
    assert linear(3, 3, 7, 9)(3) == 7
    assert ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert ticks(-1.3, 0.2) == [-1.0, -0.5, 0]
    assert ticks(2, 2) == [2]
    assert (roof([0.31, 0.05]), roof([0.0]), roof([0.3])) == (0.4, 0.1, 0.3)
    assert doublings(1, 4.5) == [1, 2, 4, 8]
    assert doublings(1, 1) == [1, 2]


def test_letters_that_would_overlap_stand_together():
    assert together([(9, 50, "A"), (9, 55, "B"), (9, 90, "C")]) == [(9, 50, "AB"), (9, 90, "C")]
