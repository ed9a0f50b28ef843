"""The sharpening report on the page: above everything else, from the same numbers, as harmless as the rest."""

from __future__ import annotations

import re

from localpower.api.compare import compare
from localpower.cli.main import main
from localpower.ui.sharpening_report import QUESTION
from localpower.ui.sharpening_tables import sections_of
from tests.evals.test_report import HOSTILE
from tests.evals.test_sharpness import answers, both
from tests.ui.test_page import check_closed


def report(path, suffix=""):
    items = {f"i{i}{suffix}": i % 4 for i in range(12)}
    more = [each for model in "mn" for each in answers(model, "power:steps=2", items)]
    return compare(both(path, items, {name: 3 for name in items}, *more).path, sharpening=True)


def text_of(html):
    return re.sub(r"<[^>]*>", "", html).replace("&#34;", '"').replace("&#39;", "'").replace("&lt;", "<")


def test_the_page_shows_the_answer_first_and_every_cell_of_the_tables(tmp_path):
    found = report(tmp_path / "r")
    html = found.html()
    task = found.sharpening.tasks["made"]
    part = html.split('<section class="sharpening">')[1].split("</section>")[0]
    assert html.index(QUESTION) < html.index('<figure class="accuracy">')
    shown = text_of(part)
    for sentence in (*task.finding, *task.rivals, *task.notes):
        assert sentence in shown
    for section in sections_of(found.sharpening.who, task):
        for cells in ([section.title], section.words, section.heads, *section.rows):
            assert all(cell in shown for cell in cells)
    assert 'class="key c0" title="m base">A</b> base, plain' in part


def test_the_page_draws_base_null_and_tuned_at_equal_k_and_at_equal_tokens(tmp_path):
    html = report(tmp_path / "r").html()
    figures = dict(re.findall(r'<figure class="(equal_\w+)">(.*?)</figure>', html, re.DOTALL))
    assert set(figures) == {"equal_k", "equal_tokens"}
    for figure in figures.values():
        assert figure.count("<polyline") == 3
    assert "n base: pass@4 " in figures["equal_k"]
    assert "n base: for the tokens of 4 " in figures["equal_tokens"]


def test_the_page_loads_nothing_is_whole_and_obeys_no_name(tmp_path):
    check_closed(report(tmp_path / "r", HOSTILE).html())


def test_a_page_without_a_sharpening_report_has_no_part_of_it(tmp_path):
    path = tmp_path / "r"
    both(path, {"i": 1}, {"i": 1})
    assert main(["compare", str(path), "--html", str(tmp_path / "p.html")]) == 0
    assert 'class="sharpening"' not in (tmp_path / "p.html").read_text()
