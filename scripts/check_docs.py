"""The version has a CHANGELOG entry, and every file that the documents link to exists."""

import re
import sys
from pathlib import Path

from localpower import __version__

root = Path(__file__).parent.parent
problems = []
newest = re.search(r"^## (\S+)", (root / "CHANGELOG.md").read_text("utf-8"), re.M)
if newest is None or newest[1] != __version__:
    problems.append(f"CHANGELOG.md starts with {newest and newest[1]}, the package is {__version__}")
for page in [*root.glob("*.md"), *root.glob("docs/*.md"), *root.glob("models/*.md")]:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if not (page.parent / target).exists():
            problems.append(f"{page.relative_to(root)} links to {target}, which is missing")
print("\n".join(problems) or "docs: versions and links agree")
sys.exit(bool(problems))
