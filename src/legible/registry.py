"""Registries: each maps names to functions that build something, with facts about it.

A *spec* is a name with settings, as written on the command line and in results:

    gaussian:0.5                       the first setting by position
    cnn-e4:filters=64,dense=128        settings by name

Settings are the keyword-only parameters of the registered function, so an entry is a function with one
decorator. A registry with a package imports all its modules, so a new entry is a new file in that folder.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules
from threading import RLock
from typing import Any, Generic, ParamSpec, TypeVar

from legible.errors import ArgumentError, UnknownName

P = ParamSpec("P")
R = TypeVar("R")
Setting = bool | int | float | str


@dataclass(frozen=True)
class Entry(Generic[R]):
    """A registered entry: its name, the function that builds it, and its facts."""

    name: str
    build: Callable[..., R]
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """The first line of the builder's docstring."""
        return (inspect.getdoc(self.build) or "").partition("\n")[0]

    @property
    def defaults(self) -> dict[str, Setting]:
        """The settings with their default values, in the order of declaration."""
        parameters = inspect.signature(self.build).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}

    @property
    def settings(self) -> str:
        """The settings with their default values, as text."""
        return ", ".join(f"{name}={value}" for name, value in self.defaults.items())


@dataclass(frozen=True)
class Spec:
    """A name with settings: hashable, comparable, and convertible to text."""

    name: str
    settings: tuple[tuple[str, Setting], ...] = ()

    def __str__(self) -> str:
        return self.name + (":" if self.settings else "") + ",".join(f"{k}={v}" for k, v in self.settings)


class Registry(Generic[R]):
    """A registry of one kind of entries; it refuses duplicates and suggests similar names.

    package: its modules register the entries; they are imported when the registry is first used. Entries are
    sorted by their module's name, and within a module in the order of definition.
    """

    def __init__(self, kind: str, list_command: str = "", *, package: str = "") -> None:
        self.kind = kind
        self.list_command = list_command
        self._package = package  # until all its modules are imported
        self._lock, self._is_filling = RLock(), False
        self._registered: dict[str, Entry[R]] = {}

    def register(self, name: str, **facts: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Decorate the function that builds `name`."""

        def add(build: Callable[P, R]) -> Callable[P, R]:
            if name in self._registered:
                raise ValueError(f"two entries of kind {self.kind} are named {name!r}")
            self._registered[name] = Entry(name, build, facts)
            return build

        return add

    @property
    def _entries(self) -> dict[str, Entry[R]]:
        """All entries; the first call imports the package's modules."""
        if self._package:
            with self._lock:  # other threads wait; modules imported in this thread don't
                if not self._is_filling:
                    self._fill()
        return self._registered

    def _fill(self) -> None:
        self._is_filling = True
        try:
            for module in sorted(m.name for m in iter_modules(import_module(self._package).__path__)):
                import_module(f"{self._package}.{module}")
            in_order = sorted(self._registered.items(), key=lambda item: item[1].build.__module__)
            self._registered = dict(in_order)  # stable: entries of one module keep their order
            self._package = ""
        finally:
            self._is_filling = False

    def __iter__(self) -> Iterator[Entry[R]]:
        return iter(self._entries.values())

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def names(self) -> list[str]:
        """All names, in the order of the entries."""
        return list(self._entries)

    def get(self, name: str) -> Entry[R]:
        """The entry named `name`. Raises UnknownName with similar names."""
        if name not in self._entries:
            raise UnknownName(self.kind, name, self._entries, self.list_command)
        return self._entries[name]

    def parse(self, text: str) -> Spec:
        """Parse `name`, `name:value` or `name:key=value,key=value`, checked against the entry's settings.

        Raises UnknownName for the name or a key, ArgumentError for a value of the wrong type.
        """
        name, _, rest = text.strip().partition(":")
        defaults = self.get(name).defaults
        given: dict[str, Setting] = {}
        for position, part in enumerate(filter(None, rest.split(","))):
            key, equals, value = part.partition("=")
            if not equals:
                key, value = self._key_at(name, defaults, position), part
            if key not in defaults:
                raise UnknownName(f"setting of {self.kind} {name!r} called", key, defaults)
            if key in given:
                raise ArgumentError(f"{self.kind} {name!r}: {key} is given twice.")
            given[key] = _read_value(value, defaults[key], f"{self.kind} {name!r}: {key}")
        return Spec(name, tuple((k, given[k]) for k in defaults if k in given))

    def _key_at(self, name: str, defaults: dict[str, Setting], position: int) -> str:
        if position >= len(defaults):
            raise ArgumentError(f"{self.kind} {name!r} takes {len(defaults)} settings, not {position + 1}.")
        return list(defaults)[position]

    def call(self, spec: Spec | str, *arguments: Any) -> R:
        """Call the entry's function with `arguments` by position and the spec's settings by name."""
        spec = self.parse(spec) if isinstance(spec, str) else spec
        return self.get(spec.name).build(*arguments, **dict(spec.settings))


def _read_value(text: str, default: Setting, where: str) -> Setting:
    """Convert a setting's text to the type of its default."""
    kind = type(default)
    try:
        if kind is bool:
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[
                text.lower()
            ]
        value = kind(text)
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError
        return value
    except (ValueError, KeyError):
        words = {bool: "yes or no", int: "a whole number", float: "a number"}.get(kind, "text")
        raise ArgumentError(f"{where} takes {words}, not {text!r}.") from None
