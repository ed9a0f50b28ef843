"""A text adventure: three rooms, a lamp and a key. The key lies in one of two rooms, which the seed decides."""

from __future__ import annotations

from localpower.tools.environment import Tool

GO = {"type": "object", "properties": {"to": {"enum": ["hall", "cellar", "attic"]}}, "required": ["to"]}
ITEM = {"type": "object", "properties": {"item": {"type": "string"}}, "required": ["item"]}


class Adventure:
    """Leave the house by the hall, with the key. The cellar is dark without the lamp, which is in the hall."""

    deterministic = True
    tools = (
        Tool("look", "Tells what is here."),
        Tool("go", "Goes to a room.", GO),
        Tool("take", "Takes an item.", ITEM),
        Tool("leave", "Leaves the house."),
    )

    def __init__(self):
        self.reset(0)

    def reset(self, seed):
        self.room, self.held, self.out = "hall", set(), False
        self.lying = {"hall": {"lamp"}, "cellar": set(), "attic": set()}
        self.lying["cellar" if seed % 2 else "attic"].add("key")

    def call(self, name, arguments):
        if self.out:
            raise ValueError("you have left the house")
        dark = self.room == "cellar" and "lamp" not in self.held
        if name == "look":
            here = "it is dark" if dark else ", ".join(sorted(self.lying[self.room])) or "nothing"
            return f"{self.room}: {here}"
        if name == "go":
            self.room = arguments["to"]
            return f"you are in the {self.room}"
        if name == "take":
            item = arguments["item"]
            if dark or item not in self.lying[self.room]:
                raise ValueError(f"there is no {item} to be seen")
            self.lying[self.room].remove(item)
            self.held.add(item)
            return f"you have the {item}"
        if self.room != "hall" or "key" not in self.held:
            raise ValueError("the door is locked")
        self.out = True
        return "you are outside"

    def fork(self):
        import copy

        return copy.deepcopy(self)

    def state(self):
        lying = {room: sorted(items) for room, items in self.lying.items()}
        return {"room": self.room, "held": sorted(self.held), "out": self.out, "lying": lying}

    def check(self):
        return self.out
