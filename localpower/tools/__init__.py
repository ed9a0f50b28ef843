"""Tools and environments: what a model may call, how its calls are written, and what they do. docs/tools.md."""
