import copy
import random

import localpower as lp


class Dice:
    """Throw until the sum is 21 or more. All chance comes from the seed."""

    deterministic = True
    tools = (lp.Tool("throw", "Throws a die and adds it to the sum."),)

    def reset(self, seed):
        self.dice, self.sum = random.Random(seed), 0

    def call(self, name, arguments):
        thrown = self.dice.randint(1, 6)
        self.sum += thrown
        return f"{thrown}, the sum is {self.sum}"

    def fork(self):
        return copy.deepcopy(self)

    def state(self):
        return {"sum": self.sum}

    def check(self):
        return self.sum >= 21
