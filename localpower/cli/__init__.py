"""The porch: click commands. Parse, build, hand over, choose an exit code; nothing imports this room."""
