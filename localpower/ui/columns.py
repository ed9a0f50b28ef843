"""What each column of a report's tables holds, in a sentence."""

from __future__ import annotations

from localpower.runs.repetition import LOOPING

_MEANINGS = {
    "method": "How answers are drawn, and by which model where there are several.",
    "problems": "Number of problems with answers, and of samples for each problem.",
    "accuracy": "Share of correct answers in percent: the mean over problems.",
    "95 %": "The 95 % confidence interval of the number to its left.",
    "no answer": "Share of the graded answers in which the grader found nothing that could be an answer.",
    "cut off": "Share of answers that reached the longest length before they ended.",
    "loops": "Share of answers that repeat themselves: of their runs of 4 tokens "
    f"{100 * LOOPING:.0f} % or more occurred before in the same answer.",
    "tokens": "Mean number of tokens of an answer.",
    "thought": "Mean number of tokens of an answer's thought, marks included; an answer without one counts as 0.",
    "drawn": "Mean number of tokens that were drawn for an answer, rejected proposals included.",
    "cost": "Tokens drawn divided by tokens of the answers. A plain answer costs 1.0x.",
    "s/answer": "Mean seconds for an answer. Answers that are made at the same time share the time equally.",
    "pass@k": "Chance in percent that at least one of k samples is correct, with its 95 % interval.",
    "distinct answers": "Share of a problem's extracted answers that differ from each other, mean over problems.",
    "calls": "Calls of tools, mean over answers, those that could not be read too.",
    "bad calls": "Share of calls that could not be read, named no tool, did not fit it or gave an error.",
    "turns that call": "Share of the model's turns with a call that its tool answered.",
    "answers that call": "Share of answers with a call that its tool answered.",
    "calls again": "Calls made again to bring an environment where a cut needed it, mean over answers.",
    "observed": "Tokens of observations in an answer, mean over answers.",
    "s outside": "Seconds in tools, mean over answers.",
    "rounds": "An answer counts as right if it is, and made calls in at most so many turns.",
    "distinct texts": "Share of a problem's texts that differ from each other, mean over problems.",
    "pair": "Two methods on the problems that both answered: one minus the other.",
    "difference": "Accuracy of the first name minus accuracy of the second name, in points.",
    "better on": "Number of problems on which the first name is more accurate than the second.",
    "worse on": "Number of problems on which the first name is less accurate than the second.",
    "p": "Probability of a difference at least this large if the two methods were equally accurate: exact McNemar test "
    "with one sample, else sign flips over problems.",
    "problems needed": "About how many problems would tell this difference from none (5 % level, 80 % power).",
    "local judge": "Whose answers are compared with whose, and the model that compares them.",
    "n": "Number of pairs of answers that were compared and kept.",
    "wins %": "Share of pairs that the method wins, with its 95 % interval.",
    "at equal length %": "The same, corrected for the length of the answers.",
    "ties": "Number of pairs without a winner.",
    "dropped": "Number of pairs on which the judge contradicts itself when the order is changed. They are left out.",
    "bias": "How much the judge prefers the answer that it sees first, in points.",
    "characters": "Mean length of the answers of both.",
    "log p a token": "Mean log-probability of an answer's tokens in nats, mean over answers. A likelier answer is not "
    "always a better one.",
    "quartiles": "The range of the middle half of the answers.",
    "confidence": "Minus the mean entropy of the distribution of the next token in nats, mean over answers.",
    "": "The distribution of the number to the left over the answers.",
}


def meaning(head: str) -> str:
    """Of a column's head."""
    return _MEANINGS["pass@k" if head.startswith("pass@") else head]
