"""Draws the pictures of docs/chat.md: `python scripts/chat_pictures.py`. A real chat with the default model, typed into
a pseudo-terminal; the screens are what a terminal emulator made of its output."""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rich.console import Console
from rich.style import Style
from rich.text import Text

from tests.cli.terminal import Terminal

ROWS, COLUMNS = 30, 92
SCREENS = {  # what is typed for each picture, and what its screen shows when it is done
    "chat-answer": (["Write a Python function that adds two numbers."], "seed 3"),
    "chat-trace": (["/trace"], "from token"),
}


def main() -> None:
    with tempfile.TemporaryDirectory() as state:
        terminal = Terminal(
            *("chat", "--seed", "3", "--max-tokens", "120", "--session", "adding"),
            rows=ROWS,
            columns=COLUMNS,
            environment={"LOCALPOWER_STATE": state, "LOCALPOWER_LOG": "off"},
        )
        terminal.wait_until(lambda t: ">>>" in t.text)
        for name, (lines, sign) in SCREENS.items():
            for line in lines:
                terminal.send(line + "\r")
            terminal.wait_until(
                lambda t, sign=sign: any(s in t.text for s in sign.split("|")) and t.lines()[-1] == ">>>"
            )
            draw(terminal, ROOT / "docs" / f"{name}.svg")
        terminal.send("\x04")
        terminal.finish()


def draw(terminal: Terminal, path: Path) -> None:
    """The screen as it stands."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    screen = terminal.screen
    used = max(y for y in range(ROWS) if screen.display[y].strip()) + 1
    for y in range(used):
        line = Text()
        for x in range(COLUMNS):
            cell = screen.buffer[y][x]
            colour = None if cell.fg == "default" else cell.fg if len(cell.fg) != 6 else f"#{cell.fg}"
            colour = {"brown": "yellow"}.get(colour, colour)
            line.append(cell.data, Style(color=colour, bold=cell.bold, underline=cell.underscore))
        line.rstrip()
        console.print(line, no_wrap=True)
    path.write_text(console.export_svg(title="localpower chat"), "utf-8")
    print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
