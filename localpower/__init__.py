"""localpower: whole answers from p(x | prompt)^alpha with GGUF models, exactly, on a laptop."""

__all__ = ["__version__"]

__version__ = "0.1.0"
