"""The bench's prompts: fixed texts of our own, so that figures of two machines can be set side by side."""

from __future__ import annotations

_PAIRS = (
    (
        "A train leaves at 9 and arrives at 13. How long does it take?",
        "From 9 to 13 are 4 hours. The answer is 4.",
    ),
    (
        "Anna has 3 bags of 7 apples and eats 2. How many are left?",
        "3 times 7 is 21, less 2 is 19. The answer is 19.",
    ),
    ("A book of 120 pages is read at 15 pages a day. How many days?", "120 by 15 is 8. The answer is 8."),
    (
        "Two cups cost 5 coins each and a pot 12. What do they cost?",
        "2 times 5 is 10, and 12 is 22. The answer is 22.",
    ),
)
SHOTS = "\n\n".join(f"Question: {question}\nAnswer: {answer}" for question, answer in _PAIRS)
LONG = f"{SHOTS}\n\nQuestion: A box holds 6 rows of 8 eggs, and 5 are broken. How many are whole?\nAnswer:"

PROMPTS = (
    "Explain why the sky is blue.",
    LONG,
    "Write a short story about a river that wanted to climb a mountain.",
    "What is the capital of France, and which river runs through it?",
    "List five things to check before a long journey by bicycle.",
    "How does a refrigerator keep food cold?",
    "Describe the life of a honey bee from egg to old age.",
    "What is the difference between weather and climate?",
    "Give three reasons for and three against working at night.",
    "Explain to a child what a number divided by zero would mean.",
)
