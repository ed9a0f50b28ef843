"""The hub's own library, made quiet, with its errors as one line each."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from localpower.errors import ModelError, UserError
from localpower.hub.address import endpoint, host

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
with warnings.catch_warnings():  # of variables that it no longer knows
    warnings.simplefilter("ignore")
    import httpx2
    import huggingface_hub
    from huggingface_hub import errors
    from huggingface_hub.utils import logging

logging.set_verbosity(logging.CRITICAL)
CONNECT_S, READ_S = 10.0, 30.0


def api() -> huggingface_hub.HfApi:
    """For questions about repositories."""
    return huggingface_hub.HfApi(endpoint=endpoint(), library_name="localpower")


@contextmanager
def told(repo: str) -> Iterator[None]:
    """What goes wrong with the hub, as UserError: one line that says what to do."""
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "on", "yes", "true"):
        raise UserError("HF_HUB_OFFLINE is set: the model hub is not asked", "unset it to fetch a model")
    if not os.environ.get("HF_TOKEN", "").isascii():
        raise UserError("HF_TOKEN is no token: it has other letters than those of ASCII")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except errors.GatedRepoError:
        raise ModelError(
            f"{repo} is only for those who accepted its terms",
            f"accept them at {endpoint()}/{repo}, then set HF_TOKEN to a token of yours",
        ) from None
    except errors.RepositoryNotFoundError:
        raise ModelError(
            f"{host()} has no repository {repo} that you may read",
            "check the name; for a private one set HF_TOKEN to a token of yours",
        ) from None
    except errors.HFValidationError:
        raise ModelError(f"{repo!r} is no name of a repository", "it is OWNER/REPO") from None
    except errors.EntryNotFoundError:
        raise ModelError(f"{repo} has no such file", f"localpower models pull {repo} lists them") from None
    except errors.OfflineModeIsEnabled:
        raise UserError("the model hub is switched off", "unset HF_HUB_OFFLINE to fetch a model") from None
    except errors.HfHubHTTPError as error:
        raise _status(repo, error.response.status_code) from None
    except (httpx2.TransportError, httpx2.InvalidURL, httpx2.TooManyRedirects) as error:
        raise UserError(
            f"cannot reach {host()}: {_reason(error)}", "is there a network? HF_ENDPOINT names another hub"
        ) from None


def _status(repo: str, status: int) -> UserError:
    if status in (401, 403):
        return ModelError(f"{host()} does not let you read {repo}", "set HF_TOKEN to a token that may")
    if status == 404:
        return ModelError(f"{host()} has no such repository or file: {repo}", "check the name")
    if status == 429:
        return UserError(f"{host()} has had too many requests from here", "wait a while, or set HF_TOKEN")
    return UserError(f"{host()} answers with error {status}", "try again later")


def _reason(error: Exception) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return "it does not answer"
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error).strip()) or type(error).__name__
