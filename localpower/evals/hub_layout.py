"""A dataset as hubs keep it: a folder of parquet, JSON lines or CSV files, with a README that says which file is what.

The README's front matter names configurations, and files of each by split (`configs: data_files`). Where it names none,
the files' names tell their split, as the hub's own reader takes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from localpower import inputs
from localpower.errors import UserError

_KINDS = (".parquet", ".jsonl", ".ndjson", ".json", ".csv", ".tsv")
_PACKED = ("", ".gz", ".zst")
_BEST = ("test", "validation", "dev", "train")  # the split that is taken where none is named
_SPLITS = {"test": "test|eval(?:uation)?", "validation": "val(?:id(?:ation)?)?|dev", "train": "train(?:ing)?"}
_README = "README.md"
_LONGEST = 1 << 20  # bytes of a README that are read


def files(folder: Path, config: str = "", split: str = "") -> list[Path]:
    """The files of a configuration and a split, in the order of their names; [] where the folder is no dataset.

    config: by name; "": the default one, or the only one. split: "": test, else validation, else train, else all.
    Raises UserError for a name that the dataset does not have, and where it has several and none is the default.
    """
    if not folder.is_dir():
        return []
    configs = _configs(folder)
    if not configs and is_dataset(folder):
        configs = {"": dict(_by_name(folder))}
    if not any(configs.values()):
        return []
    chosen = configs[_chosen(folder, config, configs)]
    if split and split not in chosen:
        raise UserError(f"the dataset in {folder} has no split {split}", f"it has {', '.join(chosen)}")
    best = split or next((name for name in _BEST if name in chosen), next(iter(chosen)))
    found = chosen[best]
    if not found:
        raise UserError(f"{folder / _README} names files of the split {best} that are not there")
    return found


def is_dataset(folder: Path) -> bool:
    """Whether files that no README names belong together: one has front matter, or there are parquet files."""
    return _front_matter(folder / _README) is not None or any(
        path.name.lower().endswith(".parquet")
        for place in (folder, folder / "data")
        for path in _tables(place)
    )


def _chosen(folder: Path, config: str, configs: dict[str, dict[str, list[Path]]]) -> str:
    if config in configs:
        return config
    if len(configs) == 1 and (not config or "" in configs or "default" in configs):
        return next(iter(configs))
    if not config and "default" in configs:
        return "default"
    wrong = f"has no configuration {config}" if config else f"has {len(configs)} configurations"
    raise UserError(
        f"the dataset in {folder} {wrong}",
        f'a task file names one: config = "{next(iter(configs))}"; there are {", ".join(configs)}',
    )


def _configs(folder: Path) -> dict[str, dict[str, list[Path]]]:
    """What the README says: by configuration and split, the files. Empty without such a part."""
    said = _front_matter(folder / _README)
    listed = said.get("configs") if isinstance(said, dict) else None
    found: dict[str, dict[str, list[Path]]] = {}
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and each.get("data_files") is not None:
            name = "default" if each.get("default") is True else str(each.get("config_name", "default"))
            files = _patterns(each["data_files"])
            found[name] = {split: _matching(folder, patterns) for split, patterns in files}
            if name == "default" and "config_name" in each:
                found.setdefault(str(each["config_name"]), found[name])
    return found


def _patterns(said: Any) -> Iterator[tuple[str, list[str]]]:
    """Split and patterns, of `a.parquet`, `[a, b]`, `{test: a}` and `[{split: test, path: a}]`."""
    if isinstance(said, dict):
        for split, paths in said.items():
            yield str(split), _texts(paths)
    elif isinstance(said, list) and said and all(isinstance(each, dict) for each in said):
        for each in said:
            yield str(each.get("split", "train")), _texts(each.get("path"))
    else:
        yield "train", _texts(said)


def _texts(said: Any) -> list[str]:
    return [each for each in (said if isinstance(said, list) else [said]) if isinstance(each, str)]


def _matching(folder: Path, patterns: Iterable[str]) -> list[Path]:
    """Files within the folder that a pattern names; one that leads out of it names none."""
    found: dict[Path, None] = {}
    for pattern in patterns:
        if not pattern or Path(pattern).is_absolute() or ".." in Path(pattern).parts:
            continue
        for path in sorted(folder.glob(pattern)):
            if path.is_file() and _kind(path.name):
                found[path] = None
    return list(found)


def _by_name(folder: Path) -> Iterator[tuple[str, list[Path]]]:
    """Split and files, of those in `data` or else in the folder itself, by a word of their names."""
    places = [folder / "data", folder]
    inside = next((files for place in places if (files := _tables(place))), [])
    rest = list(inside)
    for split, words in _SPLITS.items():
        named = [path for path in inside if re.search(rf"(?<![a-z])(?:{words})(?![a-z])", path.name.lower())]
        if named:
            yield split, named
            rest = [path for path in rest if path not in named]
    if inside and len(rest) == len(inside):
        yield "train", inside


def _tables(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    kept = (path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith("."))
    return [path for path in kept if _kind(path.name) and path.name != "dataset_infos.json"]


def _kind(name: str) -> bool:
    low = name.lower()
    return any(low.endswith(kind + packed) for kind in _KINDS for packed in _PACKED)


def _front_matter(path: Path) -> Any:
    """What stands between the first two lines of three hyphens; None where there is nothing. Raises UserError."""
    if not path.is_file():
        return None
    text = inputs.text(inputs.read(path, "", _LONGEST), str(path)).replace("\r\n", "\n")
    found = re.match(r"---\n(.*?)\n---(?:\n|$)", text, re.DOTALL)
    if found is None:
        return None
    import yaml

    try:
        return yaml.safe_load(found.group(1))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"the front matter of {path} is no YAML: {reason}") from None
