"""Read the YAML files of content/ into models, and say of each problem in which file it is, and where."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from knowledge.errors import ContentError

M = TypeVar("M", bound=BaseModel)

# The pure Python loader needs most of a second for these files, the C one some 40 ms.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


_BOOLEANS = "; YAML reads yes, no, on and off as true and false, where they stand without quotes"


class Loader(_Loader):  # type: ignore[misc, valid-type]
    """Refuse a key that stands twice: YAML would keep the last, and what stood under the first were gone."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping of a node."""
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        if len(found) < len(node.value):
            keys: set[Any] = set()
            for key_node, _ in node.value:
                key = self.construct_object(key_node, deep=True)
                if key in keys:
                    raise yaml.MarkedYAMLError(
                        problem=f"the key {key!r} stands there twice", problem_mark=key_node.start_mark
                    )
                keys.add(key)
        return found


def bundled() -> Traversable:
    """Return the folder of the content that comes with the bot."""
    return files("knowledge") / "content"


def load_file(name: str, model: type[M], content: Traversable | None = None) -> M:
    """Read a file that stands alone. Raises ContentError with every problem found, not only the first."""
    problems: list[str] = []
    found = read_file((content or bundled()) / name, name, model, problems)
    if found is None:
        raise ContentError(problems)
    return found


def read_file(file: Traversable, where: str, model: type[M], problems: list[str]) -> M | None:
    """Read one content file; None where anything is wrong with it, which is added to the problems."""
    before = len(problems)
    parsed = read_yaml(file, where, problems)
    if len(problems) > before:
        return None
    try:
        return model.model_validate(_as_tuples(parsed))
    except ValidationError as error:
        for detail in error.errors():
            path = ".".join(str(part) for part in detail["loc"] if part != "[key]")
            hint = _BOOLEANS if isinstance(detail["input"], bool) else ""
            problems.append(": ".join(filter(None, (where, path, _plainly(detail["msg"]) + hint))))
    return None


def read_yaml(file: Traversable, where: str, problems: list[str]) -> object:
    """Return what a file holds; None, with the problem added, where it can't be read."""
    try:
        return yaml.load(file.read_text("utf-8"), Loader)  # noqa: S506 - a safe loader
    except FileNotFoundError:
        problems.append(f"{where}: there is no such file")
    except UnicodeDecodeError:
        problems.append(f"{where}: not UTF-8")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        said = " ".join(" ".join(filter(None, (error.context, error.problem))).split())
        problems.append(f"{where}: not readable as YAML: {line}{said}")
    except yaml.YAMLError as error:
        problems.append(f"{where}: not readable as YAML: {' '.join(str(error).split())}")
    return None


def each_once(listed: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a list in which something stands twice."""
    if doubled := twice(listed):
        raise ValueError(f"{', '.join(map(repr, doubled))} stands there twice")
    return listed


def twice(listed: Sequence[str]) -> list[str]:
    """Return what stands in a list more than once."""
    # Most lists have nothing twice, and a start reads them all.
    return sorted({one for one in listed if listed.count(one) > 1}) if len({*listed}) < len(listed) else []


def _plainly(message: str) -> str:
    # What YAML calls a list is read as a tuple, and a mapping as a model.
    message = message.removeprefix("Value error, ").replace("a valid tuple", "a list").replace("Tuple", "List")
    return re.sub(r"a valid dictionary(?: or instance of \w+)?$", "keys with values", message)


def _as_tuples(value: object) -> object:
    """Turn YAML's lists into tuples, which is what strict, frozen models take."""
    if isinstance(value, list):
        return tuple(_as_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: _as_tuples(item) for key, item in value.items()}
    return value
