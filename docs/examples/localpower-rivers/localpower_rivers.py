import localpower as lp
from localpower.evals.forms import asking
from localpower.evals.problem import Problem

SEAS = {"Danube": "Black Sea", "Rhine": "North Sea", "Volga": "Caspian Sea", "Nile": "Mediterranean Sea"}


def problems(source):
    return [
        Problem(
            id=f"rivers/{river}",
            text=f"Into which sea does the {river} flow?",
            gold={"form": "text", "answers": [sea]},
        )
        for river, sea in SEAS.items()
    ]


RIVERS = lp.Task(
    name="rivers",
    kind="short",
    problems=problems,
    forms=asking("Answer with the name of the sea."),
    max_tokens=24,
    about="seas that rivers flow into",
)
