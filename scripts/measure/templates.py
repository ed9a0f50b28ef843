"""Which chat templates can hold a trace with tools: `python scripts/measure/templates.py FOLDER`, all its .jinja files.

Each is asked as `run --tools calculator` asks a model's own: with thoughts, and as `--no-think` has it. Packages that
train models carry templates, such as trl (trl/chat_templates) and axolotl (axolotl/utils/chat_templates/templates).
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

from localpower.errors import UserError
from localpower.loaded.thoughts import switched
from localpower.text.frames import frame_of, knows_tools
from localpower.tools.calculator import Calculator
from localpower.tools.calls import Call, Observation
from localpower.tools.formats import Frame, choose

_MARKED = re.compile(r"<[|｜][^\s<>]+[|｜]>|</s>|<end_of_turn>|<turn\|>")  # texts that may end a turn


def verdict(template: str, *, thoughts: bool) -> str:
    """What becomes of a trace."""
    form = choose(template)
    if not form.role:
        return "plain: no turns of the template are needed"
    empty = form.opening([Observation("zqtold", ok=True, executed=True)], Frame())
    told = "".join(piece.text for piece in empty)
    arguments: dict[str, object] = dict(switched(template, {}, None if thoughts else False)[0])
    if knows_tools(template):
        arguments["tools"] = [tool.schema for tool in Calculator().tools]
    ends = sorted({found[0] for found in _MARKED.finditer(template)})
    try:
        frame_of(
            *(template, told, form.role, form.written(Call("calculator", {})), ends),
            eos="<|im_end|>" if "<|im_end|>" in template else "",
            arguments=arguments,
            thoughts=thoughts,
        )
    except UserError as error:
        why = error.message.removeprefix("the chat template of this model ").split(":")[0]
        return f"{form.name}: refused, {why}"
    return f"{form.name}: works"


def main() -> None:
    """Print the templates by what becomes of them."""
    groups = defaultdict[str, list[str]](list)
    for path in sorted(Path(sys.argv[1]).rglob("*.jinja")):
        template = path.read_text("utf-8")
        with_, without = (verdict(template, thoughts=thoughts) for thoughts in (True, False))
        groups[with_ if with_ == without else f"{with_}; with --no-think {without}"].append(path.stem)
    for words, names in sorted(groups.items()):
        print(f"{words} ({len(names)})\n    {', '.join(names)}")


if __name__ == "__main__":
    main()
