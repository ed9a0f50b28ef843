"""Graders: what an answer says, and whether it is what was asked for. They read text; they never run it."""
