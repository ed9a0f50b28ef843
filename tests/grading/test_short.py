"""Short answers and countdown expressions, as small chat models write them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from localpower.evals.grade import Grader
from localpower.grading.countdown import value_and_numbers
from localpower.grading.verdicts import grade_countdown, grade_short


@pytest.mark.parametrize(
    ("answers", "completion", "verdict"),
    [
        (["Paris"], "Paris", "right"),
        (["Paris"], "paris.", "right"),
        (["Paris"], "The capital of France is Paris.", "right"),
        (["Paris"], "**Paris**", "right"),
        (["Paris"], "Paris is the capital of France.", "right"),
        (["Paris"], r"So \boxed{\text{Paris}}.", "right"),
        (["Paris"], "The capital of France is Paris. It lies on the Seine.", "right"),
        (["Paris"], "Answer: Paris", "right"),
        (["Paris"], "The capital of France is Lyon.", "wrong"),
        (["Paris"], "Not Paris, Lyon", "wrong"),
        (["Paris"], "I love Paris in the spring", "wrong"),
        (["horse"], "a horse", "right"),
        (["horse"], "The last word is the horse.", "right"),
        (["table"], "green, water, bread, table", "wrong"),
        (["Paris"], "Sure! The capital of France is Paris.", "right"),
        (["Paris"], "Answer:\nParis", "right"),
        (["Paris"], "Sure! It is Lyon.", "wrong"),
        (["177"], "177 is larger than 112.", "right"),
        (["177"], "112 is larger than 177.", "wrong"),
        (["177"], "The larger number is 177.", "right"),
        (["small", "little"], 'The opposite of "big" is "little".', "right"),
        (["cold"], "The opposite of hot is hot.", "wrong"),
        (["cold"], "cold\n\nQuestion: What is the opposite of up?\nAnswer: down", "right"),
        (["Paris"], "The capital of France is Paris, a large city.", "right"),
        (["Paris"], "Paris is not the capital of France.", "wrong"),
        (["Paris"], "The answer is Paris, France.", "right"),
        (["Paris"], "Paris, Lyon", "wrong"),
        (["5"], "The answer is 5, 3", "wrong"),
        (["5"], "The answer is (5, 3)", "wrong"),
        (["5"], "\nQuestion: What is 5?", "none"),
        (["right"], "The answer is right.", "right"),
        (["Paris, France"], "The answer is Paris, France.", "right"),
        (["Paris"], "France is large. The answer is Paris.", "right"),
        (["Paris"], "**Final Answer**\n\nParis", "right"),
        (["Paris"], "The answer is Lyon. Paris is large.", "wrong"),
        (["Paris"], "Here it is:\nQuestion: What is the capital of France?\nAnswer: Paris", "right"),
        (["St. Louis"], "The city is St. Louis.", "right"),
        (["8 a.m."], "It is 8 a.m. on Monday, 9 a.m. on Sunday.", "wrong"),
        (["8 a.m. to 1 p.m."], "It is 8 a.m. to 1 p.m.", "right"),
        (["8:00 to 13:00"], "It is open: 8:00 to 13:00.", "right"),
        (["8"], "8:00 to 13:00", "wrong"),
        (["00"], "8:00 to 13:00", "wrong"),
        (["35"], "3.5", "wrong"),
        (["12"], "1/2", "wrong"),
        (["5"], "-5", "wrong"),
        (["5"], "−5", "wrong"),
        (["1000"], "1,000", "right"),
        (["Paris"], "Answer: Paris (France)", "right"),
        (["Paris"], "Paris (the capital of France)", "right"),
        (["Paris"], "Paris – the capital of France.", "right"),
        (["Paris"], "The answer is Paris because it is the seat of the king.", "right"),
        (["Paris"], "Paris (or Lyon)", "wrong"),
        (["Paris"], "Paris - no, Lyon", "wrong"),
        (["Paris"], "Lyon (Paris)", "wrong"),
        (["f(x)"], "The answer is f(x)", "right"),
        (["yes"], "Yes.", "right"),
        (["yes"], "Sure. Yes", "right"),
        (["yes"], "Yes. The sky is blue.", "right"),
        (["yes"], "Yes, the sky is blue.", "right"),
        (["no"], "No, it is not.", "right"),
        (["no"], "Yes. No cloud is there.", "wrong"),
        (["yes"], "No. Yes men are rare.", "wrong"),
        (["Paris"], "Certainly. Paris", "right"),
        (["Paris"], " \n ", "none"),
        (["Paris"], "...", "none"),
    ],
)
def test_a_word_is_taken_from_the_ends_of_what_is_said(answers, completion, verdict):
    assert grade_short("text", answers, completion).verdict == verdict


@pytest.mark.parametrize(
    ("completion", "verdict"),
    [
        ("29, 55, 84", "right"),
        ("29 55 84", "right"),
        ("The numbers sorted from smallest to largest are: 29, 55, 84.", "right"),
        ("Sure!\n29, 55, 84", "right"),
        ("29\n55\n84", "right"),
        ("−29, 55, 84", "wrong"),
        ("29.0, 55, 84", "right"),
        ("55, 29, 84", "wrong"),
        ("29, 55", "wrong"),
        ("29, 55, 84, 90", "wrong"),
        ("the smallest is 29", "none"),
        ("Again:\nProblem: sort them\nAnswer: 29, 55, 84", "right"),
        ("29, 55, 84\nProblem: sort\nAnswer: 1, 2", "right"),
        ("29:55, 84:00", "none"),
        ("1. 29\n2. 55\n3. 84", "right"),
        ("1. 29\n2. 84\n3. 55", "wrong"),
        ("The numbers 55, 29, 84 sorted are 29, 55, 84", "right"),
        ("29, 55, 84 are the numbers", "right"),
        ("29; 55; 84", "right"),
    ],
)
def test_a_list_has_its_order_and_its_length(completion, verdict):
    assert grade_short("list", ["29, 55, 84"], completion).verdict == verdict


@pytest.mark.parametrize(
    ("completion", "verdict"),
    [
        ("4 + 13", "right"),
        ("13 + 4 = 17", "right"),
        ("17 = 4 + 13", "right"),
        (r"\boxed{4 + 13}", "right"),
        ("The expression is: 4+13", "right"),
        (r"\(4 + 13\)", "right"),
        ("`4 + 13`", "right"),
        ("**4 + 13**", "right"),
        (r"\left(4 + 13\right)", "right"),
        ("4 + 13 (that is all)", "right"),
        ("4 ** 13", "none"),
        ("The expression is 4 + 13.", "right"),
        ("4 + 13 - x", "none"),
        ("Again:\nProblem: make 17\n4 + 13", "right"),
        ("4 + 13!", "none"),
        ("-4 + 13 + 8", "none"),
        ("1) 4 + 13", "right"),
        ("4 x 13", "wrong"),
        (r"\boxed{\frac{13}{4}}", "wrong"),
        ("4 × 13 = 52", "wrong"),
        ("4 + 13 + 0", "wrong"),
        ("17", "none"),
        ("4 and 13 make 17", "none"),
        ("__import__('os').getcwd() + 4", "none"),
        ("(((((((((" * 100 + "4+13", "none"),
    ],
)
def test_an_expression_must_use_every_number_once_and_make_the_target(completion, verdict):
    assert grade_countdown([4, 13], 17, completion).verdict == verdict


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(3 + 5) / 2", (Fraction(4), [2, 3, 5])),
        ("7 / 2", (Fraction(7, 2), [2, 7])),
        ("1 / 0", None),
        ("9 ** 9", None),
        ("-3 + 5", None),
        ("(3)(4)", None),
        ("3.5 + 1", None),
        ("", None),
    ],
)
def test_expressions_are_read_exactly_and_never_run(text, found):
    assert value_and_numbers(text) == found


@pytest.mark.parametrize(
    ("kind", "gold", "text", "verdict"),
    [
        ("number", "18", "She has 18 eggs.", "right"),
        ("letter", "B", r"\boxed{B}", "right"),
        ("math", r"\frac{1}{2}", r"\boxed{0.5}", "right"),
        ("lab", {"family": "chain", "prompt": "eed|r?", "solution": "dee"}, "eed:dee>dee", "right"),
        ("lab", {"family": "chain", "prompt": "eed|r?", "solution": "dee"}, "dee", "none"),
        ("lab", {"family": "countdown", "prompt": "8,9:17?", "solution": "9+8"}, ">8+9", "right"),
        ("code", {}, "print(1)", "ungraded"),
        ("open", None, "Anything.", "ungraded"),
        ("number", "18", "  ", "none"),
        ("number", "1234", r"The total is \boxed{1{,}234}.", "right"),
        ("number", "1500", r"\boxed{1\,500}", "right"),
        ("number", "-5", "It is −5 degrees.", "right"),
        ("number", "0.5", "The answer is 1/2.", "right"),
        ("number", "0.5", r"\boxed{\frac{1}{2}}", "right"),
        ("number", "1", r"\boxed{\frac{1}{2}}", "wrong"),
        ("number", "25", "Answer: 5^2 = 25", "right"),
        ("number", "5", "Answer: 5^2 = 25", "wrong"),
        ("number", "10", "The answer is 10 apples, as 5 + 5 = 10.", "right"),
        ("letter", "B", r"\boxed{\textbf{(B)}}", "right"),
        ("letter", "B", "The correct answer is **B**.", "right"),
        ("letter", "B", "ANSWER: $B$", "right"),
        ("letter", "B", "So, the answer is option B.", "right"),
        ("letter", "B", r"The answer is: \mathrm{B}", "right"),
        ("letter", "B", "(B).", "right"),
        ("number", "12", r"\boxed{6 + 6 = 12}", "right"),
        ("number", "6", r"\boxed{6 + 6 = 12}", "wrong"),
        ("letter", "A", "answer: A good approach is to compute", "none"),
        ("letter", "A", "The answer is A because it is.", "right"),
        ("letter", "C", "The answer is C-C bond cleavage.", "none"),
        ("letter", "A", "I think a good guess is hard.", "none"),
        ("letter", "A", "The answer is a constant value.", "none"),
        ("letter", "C", "It is 25 °C", "none"),
        ("letter", "A", "A) one\nB) two", "none"),
        ("math", "8", r"\boxed{5 + 3 = 8}", "right"),
        ("math", "9", r"\boxed{5 + 3 = 9}", "wrong"),
        ("math", "5", "The final answer is $5$. I hope it is correct.", "right"),
        ("number", "8", r"The answer is $4 \times 2 = 8$", "right"),
        ("number", "4", r"The answer is $4 \times 2 = 8$", "wrong"),
        ("number", "3.75", "The answer is 3 3/4 cups.", "right"),
        ("number", "0.75", r"The answer is $\frac{3}{4}$ of the cake.", "right"),
        ("number", "3", "The answer is 3/4 of a cup.", "wrong"),
        ("number", "2.5", "Answer: 2½ hours", "right"),
        ("number", "5", r"\boxed{\frac{5}{2} \text{ hours}}", "wrong"),
        ("number", "12000", "The answer is 12 thousand.", "right"),
        ("number", "2000000", "The answer is $2 million dollars.", "right"),
        ("number", "5000", r"\boxed{5\text{ thousand}}", "right"),
        ("number", "20", "The answer is 20 (15 + 5).", "right"),
        ("number", "20", "The answer is 20!", "right"),
        ("number", "5", "The answer is 5 or 6 apples.", "wrong"),
        ("number", "20", "The answer is 20 apples in 3 boxes.", "right"),
    ],
)
def test_every_kind_of_task_has_its_grader(kind, gold, text, verdict):
    with Grader() as grader:
        assert grader.grade(kind, gold, text).verdict == verdict


def test_the_grader_is_named_with_its_version():
    with Grader("paper") as grader:
        assert (grader.name("math"), grader.name("number")) == ("paper/3", "value/3")
