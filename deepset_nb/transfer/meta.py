"""Metadata of a file: what lies beside it, what the caller says over it, and whether the platform can take the result.

A sidecar that is fine goes up as it is. What the caller says (``meta=``) wins over it key by key, and is turned into
plain JSON: times become ISO text, numpy's scalars Python's numbers. What JSON cannot hold fails the file and names the
key, as dropping it would be a silent loss.
"""

from __future__ import annotations

import json
import re
import stat as modes
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from ..client.addresses import as_path, is_remote, is_signed, name_of, with_ending
from ..client.places import is_there, opened, stat_of
from ..errors import InputError
from .hazards import SIDECAR
from .meta_values import Unusable, limits, plain
from .receipt import Row, encode_meta

if TYPE_CHECKING:
    import pandas as pd

    Meta = Mapping[str, Any] | Callable[[Path], Mapping[str, Any] | None] | pd.DataFrame  # what a caller may give

LARGEST_SIDECAR = 2**21  # bytes; more cannot come down to what the platform takes, whatever the escapes


@dataclass(frozen=True, slots=True)
class Told:
    """What the caller said about metadata, kept to be asked again at another try.

    Attributes:
        layers: Later ones win key by key.
        beside: Whether a sidecar counts.
    """

    layers: tuple[MetaSource, ...] = ()
    beside: bool = True


def is_frame(value: object) -> TypeGuard[pd.DataFrame]:
    """Whether it is a DataFrame; whoever has one has imported pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame)


def read_told(meta: object) -> Told | None:
    """The argument ``meta=``.

    Raises:
        InputError: It is none of the three forms, or a frame that does not say which row is which file's.
    """
    if meta is None:
        return None
    if is_frame(meta):
        return Told((MetaTable(meta),))
    if isinstance(meta, Mapping) or callable(meta):
        return Told((meta,))
    raise InputError(
        f"meta= is a {type(meta).__name__}.",
        "Give a dict for all files, a function of a path, or a DataFrame with a column 'name'.",
    )


TAG = "upload_tag"  # the metadata key of ws.upload(tag=)
_TAG = re.compile(r"[^'\"\\\x00-\x1f\x7f]{1,200}")  # what the platform is known to find again by a filter


def tagged(told: Told | None, tag: str | None) -> Told | None:
    """What the caller said, and the tag over it.

    Raises:
        InputError: It is no tag.
    """
    if tag is None:
        return told
    if not isinstance(tag, str) or not _TAG.fullmatch(tag) or tag != tag.strip():
        raise InputError(f"{tag!r} is no tag.", "Give a text of up to 200 characters, without quotes and backslashes.")
    before = told or Told()
    return Told((*before.layers, {TAG: tag}), before.beside)


class MetaTable:
    """Metadata by file name, from a DataFrame: the column ``name`` or the index, and a key per other column.

    A missing cell (NaN, NaT, NA, None) means that the file has no such key.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        """Take the columns apart once, so that a lookup per file is cheap."""
        remedy = "Give it a column 'name' with the file names, or make them its index."
        columns = [column for column in frame.columns if column != "name"]
        if not frame.columns.is_unique or not all(isinstance(column, str) for column in columns):
            raise InputError("The columns of meta= are not texts that differ.", "Name each column as its key.")
        names = frame["name"].tolist() if "name" in frame.columns else frame.index.tolist()
        for name in names:
            if not isinstance(name, str):
                raise InputError(f"meta= has {name!r} where a file name should be.", remedy)
        self._places = {name: place for place, name in enumerate(names)}
        if len(self._places) < len(names):
            twice = next(name for place, name in enumerate(names) if self._places[name] != place)
            raise InputError(f"meta= has several rows for {twice!r}.", "Keep one row per file name.")
        self._columns = [(key, frame[key].tolist(), frame[key].isna().tolist()) for key in columns]

    @property
    def names(self) -> list[str]:
        """The file names it has metadata for."""
        return list(self._places)

    def of(self, name: str) -> dict[str, Any] | None:
        """The metadata of a file, if it has a row."""
        if (place := self._places.get(name)) is None:
            return None
        return {key: values[place] for key, values, missing in self._columns if not missing[place]}


MetaSource = Mapping[str, Any] | Callable[[Path], Mapping[str, Any] | None] | MetaTable


def settle(row: Row) -> dict[str, Any] | None:
    """Put the row's metadata together and into ``row.meta``; returns what it came to.

    Raises:
        Unusable: The platform or JSON cannot take it.
    """
    meta: dict[str, Any] | None = None
    if isinstance(row.meta, str):
        name = row.name + SIDECAR  # also where it came from a browser and lies under an id
        raw = _read(row.meta, name)
        meta = _parse(raw, name)
        if (
            not raw.isascii() and json.detect_encoding(raw) != "utf-8"
        ):  # with a byte order mark, or UTF-16: the platform reads plain UTF-8
            row.meta = encode_meta(meta)
    said = [found for layer in (row.told.layers if row.told else ()) if (found := _ask(layer, row)) is not None]
    if said:
        for one in said:
            meta = {**(meta or {}), **plain(one)}
        assert meta is not None
        encoded = encode_meta(meta)
        limits(meta, len(encoded))
        if meta:  # an empty object would be one more thing to send, and says nothing
            row.meta = encoded
    return meta


def _read(sidecar: str, name: str) -> bytes:
    try:
        stat = stat_of(sidecar)
        if not modes.S_ISREG(stat.st_mode):  # opening a pipe would wait for ever
            raise Unusable(f"Its metadata {name!r} is not a regular file.", "Put a file there, or remove it.")
        if stat.st_size > LARGEST_SIDECAR:
            raise Unusable(f"Its metadata {name!r} is larger than the platform takes.", "Shorten it.")
        with opened(sidecar) as file:
            return file.read()
    except OSError as error:
        reason = f"Its metadata {name!r} cannot be read: {error.strerror}."
        raise Unusable(reason, "Check that you may read it, or remove the sidecar.") from None


def _parse(raw: bytes, name: str) -> dict[str, Any]:
    """What a sidecar says."""
    remedy = 'Write a JSON object, such as {"topic": "news"}, or remove the sidecar.'
    try:
        meta = decode_strictly(raw.decode(json.detect_encoding(raw)))
    except json.JSONDecodeError as error:
        raise Unusable(f"Its metadata {name!r} is not JSON: {error.msg} (line {error.lineno}).", remedy) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise Unusable(f"Its metadata {name!r} cannot be read: {error}.", remedy) from None
    if not isinstance(meta, dict):
        raise Unusable(f"Its metadata {name!r} is a {type(meta).__name__}, not a JSON object.", remedy)
    if b"\\ud" in raw.lower():  # escapes may spell half a character, which nothing can store
        plain(meta)
    limits(meta, len(raw))
    return meta


def _refuse_constant(name: str) -> None:
    raise Unusable(f"Its metadata has the value {name}, which JSON does not know.")


decode_strictly = json.JSONDecoder(parse_constant=_refuse_constant).decode


def meta_of(row: Row) -> dict[str, Any] | None:
    """The metadata of a planned row as a dict."""
    if row.meta is None:
        return None
    try:
        meta = json.loads(row.meta if isinstance(row.meta, bytes) else _read(row.meta, row.name + SIDECAR))
    except (ValueError, RecursionError):
        return None  # the row says why
    return meta if isinstance(meta, dict) else None


def sidecar_of(source: str) -> str | None:
    """The metadata that lies beside a file, if any does; what a signature opens is that very file alone."""
    if is_remote(source) and (is_signed(source) or not name_of(source)):
        return None
    return unless_gone(with_ending(source, SIDECAR))


def unless_gone(sidecar: str) -> str | None:
    """The sidecar, if it is there or nobody can tell: then whoever reads it says why, and nothing goes up without."""
    try:
        return sidecar if is_there(sidecar) else None
    except PermissionError:  # what stores answer of a file that is not there, to those who may not list them
        return None
    except OSError:
        return sidecar


def _ask(layer: MetaSource, row: Row) -> Mapping[str, Any] | None:
    if isinstance(layer, MetaTable):
        return layer.of(row.name)
    if isinstance(layer, Mapping):
        return layer
    try:
        said = layer(as_path(row.path))
    except Unusable:
        raise
    except Exception as error:  # of the user's own function: it concerns this file, not the plan
        words = f"{type(error).__name__}: {error}".rstrip(": ")
        raise Unusable(f"meta= failed for it with {words[:200]}.", "Correct the function, then plan again.") from None
    if said is not None and not isinstance(said, Mapping):
        kind = type(said).__name__
        raise Unusable(f"meta= returned a {kind} for it, not a dict.", "Return a dict, or None for no metadata.")
    return said
