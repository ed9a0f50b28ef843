"""Entry point of Inspect (https://inspect.aisi.org.uk): `inspect eval TASK --model localpower/smollm2`."""

from __future__ import annotations

from inspect_ai.model import ModelAPI, modelapi


@modelapi(name="localpower")
def localpower() -> type[ModelAPI]:
    """The provider, imported when a model of it is asked for."""
    from localpower.adapters.inspect_model import LocalpowerAPI

    return LocalpowerAPI
