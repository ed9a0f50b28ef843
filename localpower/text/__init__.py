"""Text to tokens and back: templates, guards, stops."""
