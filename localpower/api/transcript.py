"""A conversation as a file for people or programs."""

from __future__ import annotations

import json

from localpower import __version__
from localpower.api.chat import Chat
from localpower.loaded import ModelInfo

FORMS = (".md", ".json")


def transcript(chat: Chat, model: ModelInfo, form: str) -> str:
    """form: .md, or .json with the tokens and numbers of every answer and `messages` as chat APIs have them."""
    if form == ".json":
        values = {
            "version": __version__,
            "model": model.to_dict(),
            "method": str(chat.options.method),
            "system": chat.prompting.system,
            "messages": list(chat.messages),
            **chat.to_dict(),
        }
        return json.dumps(values, ensure_ascii=False, indent=1) + "\n"
    parts = [f"*{model.name}, {chat.options.method}*"]
    parts += [f"**System:** {chat.prompting.system}"] if chat.prompting.system else []
    for turn in chat.turns:
        parts += [f"**You:** {turn.question}", f"**{model.name}:** {turn.answer.text.strip()}"]
    return "\n\n".join(parts) + "\n"
