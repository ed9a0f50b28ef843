"""The screen: events folded into a board, a board rendered, a terminal owned."""
