"""Made-up problems in the formats of the harder benchmarks' authors. None of the texts is anybody else's."""

from __future__ import annotations

import base64
import json
import pickle
import zlib

MMLU_PRO = {
    "question_id": 70, "question": "Which number is zorbly?", "options": [f"option {i}" for i in range(10)],
    "answer": "I", "answer_index": 8, "cot_content": "", "category": "math", "src": "made-up",
}  # fmt: skip
HUMANEVAL_PLUS = {
    "task_id": "HumanEval/0",
    "prompt": 'def half(n: float) -> float:\n    """Half of n."""\n',
    "entry_point": "half",
    "canonical_solution": "    return n / 2\n",
    "test": (
        "import numpy as np\n\n\ndef check(candidate):\n    inputs = [[4], [5]]\n    results = [2, 2.5]\n"
        "    for given, right in zip(inputs, results):\n        assert np.allclose(candidate(*given), right)\n"
    ),
}
MBPP_PLUS = {
    "task_id": 2,
    "code": "def helper(n):\n    return n\n\n\ndef twice(n):\n    return 2 * helper(n)",
    "prompt": "Write a function that doubles a number.",
    "source_file": "made-up",
    "test_imports": [],
    "test_list": ["assert twice(2) == 4"],
    "test": (
        "import numpy as np\n\ninputs = [[2], [3]]\nresults = [4, 6]\n\n\ndef assertion(out, right):\n"
        "    assert np.allclose(out, right)\n\n\nfor given, right in zip(inputs, results):\n"
        "    assertion(twice(*given), right)\n"
    ),
}


def packed(cases):
    """As LiveCodeBench packs its private cases."""
    return base64.b64encode(zlib.compress(pickle.dumps(json.dumps(cases)))).decode()


def case(given, right, kind="stdin"):
    return {"input": given, "output": right, "testtype": kind}


LCB_STDIN = {
    "question_title": "Sum", "question_content": "Read n, then n numbers. Write their sum.", "platform": "atcoder",
    "question_id": "abc001_a", "contest_id": "abc001", "contest_date": "2024-08-10T00:00:00", "starter_code": "",
    "difficulty": "easy", "public_test_cases": json.dumps([case("2\n1 2\n", "3\n")]),
    "private_test_cases": packed([case("3\n1 2 3\n", "6\n")]), "metadata": "{}",
}  # fmt: skip
LCB_FUNCTION = LCB_STDIN | {
    "question_content": "Add two numbers.", "platform": "leetcode", "question_id": "3001",
    "contest_date": "2025-01-04T00:00:00",
    "starter_code": "class Solution:\n    def add(self, a: int, b: List[int]) -> int:\n        ",
    "difficulty": "hard", "public_test_cases": json.dumps([case("1\n[2, 3]", "6", "functional")]),
    "private_test_cases": packed([case("2\n[2]", "4", "functional")]), "metadata": json.dumps({"func_name": "add"}),
}  # fmt: skip
OLYMPIAD = {
    "id": 1606, "question": "Find all $x$ with $x^{2}=4$.", "solution": ["Take roots."], "final_answer": ["2,-2"],
    "context": None, "image_1": None, "modality": "Text-only", "difficulty": "Competition",
    "is_multiple_answer": True, "unit": None, "answer_type": "Numerical", "error": None,
    "question_type": "Open-ended", "subfield": "Algebra", "subject": "Maths", "language": "English",
}  # fmt: skip
HMMT = {
    "problem_idx": 3, "problem": "How many?", "answer": "\\frac{1}{2}", "problem_type": ["Algebra", "Geometry"],
}  # fmt: skip
BBH = {
    "canary": "made-up",
    "examples": [
        {"input": "not ( True ) is", "target": "False"},
        {"input": "Which?\nOptions:\n(A) one\n(B) two", "target": "(B)"},
    ],
}
IFEVAL = {
    "key": 1000,
    "prompt": "Write two words without commas.",
    "instruction_id_list": ["punctuation:no_comma", "length_constraints:number_words"],
    "kwargs": [{}, {"relation": "at least", "num_words": 2}],
}
ARC = {
    "train": [{"input": [[0, 1]], "output": [[1, 0]]}],
    "test": [{"input": [[2, 3]], "output": [[3, 2]]}, {"input": [[4, 5]], "output": [[5, 4]]}],
}
