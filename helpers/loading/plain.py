"""JSON and YAML as plain data: each key once, and numbers as everybody writes them."""

import json
import re
from typing import Any

import yaml
from yaml.constructor import ConstructorError


class KeyTwice(ConstructorError):
    """A key that stands twice: which of the two values is meant, nobody can know."""


class PlainLoader(yaml.SafeLoader):
    """YAML that refuses a key twice, and in which only decimal numbers are numbers.

    Plain YAML keeps the last of two equal keys, takes 010 for 8, 12:30 for 750 and 1_000 for
    1000, and 1e9 for a text.
    """

    def construct_mapping(self, node, deep=False):
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        refuse_twice(names, node.start_mark)
        return super().construct_mapping(node, deep)


KEPT = ("null", "bool", "merge")
PlainLoader.yaml_implicit_resolvers = {
    first: kept
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    if (kept := [(tag, form) for tag, form in known if tag.rpartition(":")[2] in KEPT])
}
for kind, form in {
    "int": r"[-+]?(0|[1-9][0-9]*)",
    "float": r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan",
}.items():
    PlainLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{kind}", re.compile(rf"^(?:{form})$"), list("-+.0123456789")
    )


def read_yaml(text: str) -> Any:
    """The data of a YAML text.

    Raises
    ------
    yaml.YAMLError
        It is no YAML, or a key stands twice (`KeyTwice`).

    Examples
    --------
    >>> read_yaml("{horizon: 1e3, in: [01, 1.0, yes]}")
    {'horizon': 1000.0, 'in': ['01', 1.0, True]}
    """
    return yaml.load(text, PlainLoader)  # safe: plain data only


def refuse_twice(names: list[str], mark=None) -> None:
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise KeyTwice(None, None, f"{twice!r} twice", mark)


def once(pairs: list[tuple[str, Any]]) -> dict:
    """An object of JSON, whose keys must differ."""
    refuse_twice([name for name, _ in pairs])
    return dict(pairs)


def read_plain(text: str) -> Any:
    """The data of a text in JSON or YAML.

    Raises
    ------
    ValueError
        What was found instead: neither of them, a key twice, or half of a character.
    """
    try:
        try:
            given = json.loads(text, object_pairs_hook=once)
        except json.JSONDecodeError:
            given = read_yaml(text)
        json.dumps(given, ensure_ascii=False).encode()
    except KeyTwice as error:
        raise ValueError(error.problem) from None
    except UnicodeEncodeError:
        raise ValueError("half of a character (a lone surrogate)") from None
    except (yaml.YAMLError, ValueError, RecursionError, TypeError):
        raise ValueError("text that is neither JSON nor YAML") from None
    return given
