"""Reads parameter files: merges, validates, and explains every fault before anything runs.

A file may name another one under ``extends`` and change a few of its keys. Unknown keys, repeated
keys and values out of range are errors that say where, what, and which known key is nearest.

>>> load_params("params/sample.yaml", {"churn.horizon_days": 28}).churn.horizon_days
28
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from mkt_models.params import Params
from mkt_models.sections import nearest

M = TypeVar("M", bound=BaseModel)


class ParamsError(ValueError):
    """A parameter file that cannot be used; the message says where and what to do."""


def load_params(path: str | Path, overrides: Mapping[str, object] | None = None) -> Params:
    """Read, merge and validate a parameter file.

    Parameters
    ----------
    path
        YAML file; its ``extends``, if any, is a path relative to it.
    overrides
        Dotted keys and their values, applied last, e.g. ``{"churn.horizon_days": 28}``.

    Raises
    ------
    ParamsError
        When a file is missing or not a mapping, a key is unknown or repeated, or a value is out
        of range. Every fault found is listed, one per line.

    """
    merged = _read(Path(path), seen=())
    for dotted, value in (overrides or {}).items():
        merged = _merge(merged, _nest(dotted, value))
    return validate(Params, merged, str(path))


def validate(model: type[M], data: object, where: str) -> M:
    """Validate ``data`` as ``model``; faults become one readable ParamsError."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = [_explain(model, fault, data) for fault in error.errors()]
        raise ParamsError("\n".join(f"{where}: {line}" for line in lines)) from None


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping; a repeated key, or a key that is no string, is an error."""
    if not path.is_file():
        near = nearest(path.name, [p.name for p in path.parent.glob("*.yaml")])
        raise ParamsError(f"{path}: no such file{near}")
    try:
        data = deepcopy(_parsed(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path}: not readable as YAML: {_yaml_fault(error)}") from None
    if not isinstance(data, dict):
        raise ParamsError(f"{path}: must be a mapping of keys to values, is {type(data).__name__}")
    return data


@lru_cache(maxsize=32)
def _parsed(text: str) -> Any:
    """A text as YAML; a run reads the same files several times, and parsing takes longest."""
    return yaml.load(text, _StrictLoader)


def _yaml_fault(error: Exception) -> str:
    """Where and what, and what to do about the commonest slip: a comparison without quotes."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return str(error)
    mark, problem = error.problem_mark, str(error.problem)
    told = f"line {mark.line + 1}, column {mark.column + 1}: {problem}"
    if "found character '>'" in problem or "chomping or indentation" in problem:
        return f"{told}; a comparison goes in quotes, e.g. op: '>='"
    if "cannot start any token" in problem or "alias" in problem or "anchor" in problem:
        return f"{told}; put the value in quotes"
    return told


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that refuses repeated keys and keys that are no strings."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.YAMLError(
                    f"line {key_node.start_mark.line + 1}: key {key_node.value!r} is read as "
                    f"{type(key).__name__}; put it in quotes"
                )
            if key in seen:
                raise yaml.YAMLError(f"line {key_node.start_mark.line + 1}: {key!r} stands twice")
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def _read(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    if path.resolve() in seen:
        raise ParamsError(f"{path}: extends itself")
    data = read_yaml(path)
    base = data.pop("extends", None)
    if base is None:
        return data
    if not isinstance(base, str):
        raise ParamsError(f"{path}: extends must be a file name, is {base!r}")
    try:
        below = _read(path.parent / base, (*seen, path.resolve()))
    except ParamsError as error:
        raise ParamsError(f"{path}: extends {base!r}: {error}") from None
    return _merge(below, data)


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay ``over`` on ``base``; a block of another ``kind`` replaces the one below it whole."""
    if "kind" in base and "kind" in over and base["kind"] != over["kind"]:
        return dict(over)
    out = dict(base)
    for key, value in over.items():
        old = out.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        out[key] = _merge(old, value) if both else value  # type: ignore[arg-type]
    return out


def _nest(dotted: str, value: object) -> dict[str, Any]:
    head, _, rest = dotted.partition(".")
    return {head: _nest(rest, value) if rest else value}


def _explain(model: type[BaseModel], fault: Any, data: object) -> str:
    here, keys = _follow(model, fault["loc"])
    dotted = ".".join(_by_id(keys, data)) or "(whole file)"
    if fault["type"] == "extra_forbidden":
        known = [] if here is None else [f.alias or n for n, f in here.model_fields.items()]
        near = nearest(keys[-1], known)
        return f"{dotted}: unknown key{near}; known: {', '.join(sorted(known))}"
    if fault["type"] in ("union_tag_invalid", "union_tag_not_found"):
        is_now = fault["input"].get("kind") if isinstance(fault["input"], dict) else None
        return f"{dotted}.kind: must be one of {', '.join(_kinds(here, keys))} (is {is_now!r})"
    if fault["type"] == "missing":
        return f"{dotted}: missing"
    message = str(fault["msg"]).removeprefix("Value error, ")
    given = fault["input"]
    shown = "" if isinstance(given, dict) else f" (is {given!r})"
    return f"{dotted}: {message[:1].lower()}{message[1:]}{shown}"


def _by_id(keys: Sequence[str], data: object) -> list[str]:
    """The keys of a path, with an entry of a list named by its ``id`` where it has one.

    >>> _by_id(["tags", "1", "name"], {"tags": [{"id": "new"}, {"id": "loyal"}]})
    ['tags', 'loyal', 'name']
    """
    named = []
    for key in keys:
        if isinstance(data, list):
            data = data[int(key)] if key.isdigit() and int(key) < len(data) else None
            own = data.get("id") if isinstance(data, dict) else None
            named.append(own if isinstance(own, str) else key)
            continue
        data = data.get(key) if isinstance(data, dict) else None
        named.append(key)
    return named


def _follow(
    model: type[BaseModel], path: Sequence[str | int]
) -> tuple[type[BaseModel] | None, list[str]]:
    """The model that holds the last key of a fault's path, and the path as the file spells it.

    Where a block may be one of several kinds, pydantic puts the kind into the path; it is no key.
    """
    holder: type[BaseModel] | None = model
    inner: list[type[BaseModel]] = [model]
    keys: list[str] = []
    free_key = False  # whether the next key is one of a mapping's own
    for part in path:
        kinds = {tag: one for one in inner for tag in _tags(one)} if len(inner) > 1 else {}
        if part in kinds:
            inner = [kinds[str(part)]]
            continue
        keys.append(str(part))
        if isinstance(part, int) or free_key:
            free_key = False
            continue
        holder = inner[0] if len(inner) == 1 else None
        field = _field(holder, part)
        inner = [] if field is None else _inner_models(field.annotation)
        free_key = field is not None and get_origin(field.annotation) in (dict, Mapping)
    return holder, keys


def _kinds(holder: type[BaseModel] | None, keys: Sequence[str]) -> list[str]:
    """What the ``kind`` of a block may say that the last key names."""
    field = _field(holder, keys[-1])
    models = [] if field is None else _inner_models(field.annotation)
    return [tag for one in models for tag in _tags(one)]


def _field(model: type[BaseModel] | None, key: str) -> FieldInfo | None:
    """The field that a key of the file fills."""
    fields = {} if model is None else model.model_fields
    return {f.alias or name: f for name, f in fields.items()}.get(key)


def _tags(model: type[BaseModel]) -> tuple[str, ...]:
    """What the block's ``kind`` may say, if it has one."""
    kind = model.model_fields.get("kind")
    return () if kind is None else tuple(map(str, get_args(kind.annotation)))


def _inner_models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [one for inner in get_args(annotation) for one in _inner_models(inner)]
