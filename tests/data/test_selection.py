"""Which answers become data: each filter's rule, its count, and its order."""

from __future__ import annotations

import itertools

import pytest

from localpower.data.likeness import NEAR, Overlap, likeness, parts, runs
from localpower.data.selection import Selection, select
from localpower.errors import UsageProblem
from tests.data.made import sample

WORDS = "one two three four five six seven eight nine ten eleven twelve"


def kept(samples, benchmarks=None, **how):
    return [each.answer for each in select(samples, Selection(**how), benchmarks or {})[0]]


def test_answers_that_were_cut_off_are_left_out_unless_they_are_asked_for():
    some = [sample("a"), sample("b", finish="length"), sample("c", finish="budget")]
    assert kept(some) == ["a"]
    assert kept(some, unfinished=True) == ["a", "b", "c"]


def test_right_answers_are_those_with_that_verdict():
    some = [sample(v, verdict=v) for v in ("right", "wrong", "none", "ungraded")]
    assert kept(some, keep="right") == ["right"]
    assert len(kept(some)) == 4


def test_the_best_answer_of_each_problem_is_its_likeliest():
    some = [sample("a", -3.0), sample("b", -2.0), sample("c", -9.0, problem="i1")]
    assert kept(some, keep="best") == ["b", "c"]


def test_filters_work_one_after_another():
    some = [sample("a", -1.0, verdict="wrong"), sample("b", -3.0), sample("c", -2.0)]
    assert kept(some, keep="right,best") == ["c"]


def test_exact_duplicates_have_the_same_text_or_the_same_token_ids():
    some = [
        sample("ab", -3.0, tokens=(1, 2)),
        sample("ab", -2.0, tokens=(3,)),
        sample("x", -5.0, tokens=(3,)),
        sample("ab", -1.0, problem="i1"),
    ]
    left, steps = select(some, Selection(), {})
    assert [(each.answer, each.tokens) for each in left] == [("ab", (3,)), ("ab", (97, 98))]
    assert steps[-1] == ("exact duplicates", 2, 2)


def test_near_duplicates_differ_in_case_spaces_and_punctuation_and_not_in_signs():
    texts = ("It is 5.", "it is  5", "it is -5", "it is 5.5", "It, is: “5”")
    some = [sample(text, -i) for i, text in enumerate(texts)]
    assert kept(some, duplicates="near") == ["It is 5.", "it is -5", "it is 5.5"]


def test_long_texts_are_near_duplicates_from_nine_tenths_of_their_runs_of_eight_words():
    words = [str(i) for i in range(117)]  # 110 runs of 8
    for changed, near in ((5, True), (6, False)):  # the last words: 5 change 5 runs, 105 of 115 are shared
        other = words[: len(words) - changed] + ["x" * (i + 1) for i in range(changed)]
        index = likeness(runs(parts(" ".join(words))), runs(parts(" ".join(other))))
        assert index == (110 - changed) / (110 + changed)
        assert (index >= NEAR) is near
        assert len(kept([sample(" ".join(words)), sample(" ".join(other))], duplicates="near")) == 2 - near


def test_duplicates_can_stay_because_their_number_is_the_law():
    assert kept([sample("a"), sample("a"), sample("b")], duplicates="keep") == ["a", "a", "b"]


def test_distinct_answers_are_the_likeliest_and_then_the_least_alike():
    near_a = WORDS.replace("twelve", "dozen")
    texts = {WORDS: -1.0, near_a: -2.0, "something else entirely": -9.0, "other": -8.0}
    some = [sample(text, log_p) for text, log_p in texts.items()]
    assert kept(some, keep="distinct:2") == [WORDS, "other"]
    assert kept(some, keep="distinct:3") == [WORDS, "something else entirely", "other"]
    assert kept(some, keep="distinct:9") == [each.answer for each in some]


def test_distinct_answers_are_no_near_duplicates():
    assert kept([sample("a"), sample("A."), sample("b", -2.0)], keep="distinct:3") == ["a", "b"]


def test_most_answers_to_a_problem_are_the_first_drawn_and_not_the_likeliest():
    some = [sample("a", -3.0), sample("b", -1.0), sample("c", -2.0), sample("d", problem="i1")]
    assert kept(some, most=2) == ["a", "b", "d"]


def test_the_counts_of_the_filters_add_up():
    some = [sample(str(i % 5), -i, verdict="right" if i % 2 else "wrong", finish="stop" if i % 7 else "length")
            for i in range(40)]  # fmt: skip
    left, steps = select(some, Selection("right,distinct:2", False, "near", 1), {"b": Overlap(["zzz"])})
    assert steps[0].left == 40
    assert all(step.left == before.left - step.dropped for before, step in itertools.pairwise(steps))
    assert steps[-1].left == len(left)
    names = [
        "answers",
        "unfinished",
        "repeat a problem of b",
        "not right",
        "exact duplicates",
        "near duplicates",
    ]
    assert [step.name for step in steps] == [*names, "beyond 2 distinct", "beyond 1 a problem"]


def test_a_row_repeats_a_problem_that_shares_eight_words_with_its_question_or_answer():
    overlap = Overlap([f"Zero {WORDS}!"])
    eight, seven = " ".join(WORDS.split()[2:10]), " ".join(WORDS.split()[2:9])
    assert overlap.repeats(f"So: {eight.upper()}?", "")
    assert overlap.repeats("", f"it was {eight}")
    assert not overlap.repeats(f"x {seven} y", f"{seven} z")
    some = [sample("a", question=eight), sample("b", question=seven), sample(eight)]
    assert kept(some, {"b": overlap}) == ["b"]


def test_a_problem_of_few_words_is_repeated_by_itself_alone_and_its_signs_count():
    overlap = Overlap(["What is 3 + 4?"])
    assert overlap.repeats("what is 3 + 4", "")
    assert not overlap.repeats("What is 3 - 4?", "What is 3 + 4?")


@pytest.mark.parametrize(
    "how",
    [{"keep": "wrong"}, {"keep": "distinct:0"}, {"keep": "distinct:"}, {"keep": ""}, {"keep": "distinct:²"},
     {"duplicates": "all"}, {"most": 0}],
)  # fmt: skip
def test_what_can_never_be_right_is_refused(how):
    with pytest.raises(UsageProblem):
        Selection(**how)


def test_of_long_texts_that_nearly_agree_one_is_distinct():
    words = [str(i) for i in range(117)]
    other = [*words[:-5], "a", "b", "c", "d", "e"]
    first, second = " ".join(words), " ".join(other)
    assert kept([sample(first), sample(second, -2.0)], keep="distinct:2") == [first]
