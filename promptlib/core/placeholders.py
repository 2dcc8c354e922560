"""Which parts of a text are variables: the grammar of ``{{ name }}``, in one place.

A variable is two opening braces, a name, two closing braces; spaces and tabs may stand around the name, nothing else.
A name is a letter of any script or an underscore, then letters, digits, marks and underscores, 64 characters at most
(Unicode's identifiers, so ``नाम`` and ``顧客名`` are names and ``²`` is not). Everything else is plain text:

- ``{{#if x}}``, ``{{role "system"}}``, ``{{> partial}}``, ``{{! comment }}``, ``{{ user.name }}``, ``{single}``;
- three or more opening braces, as in ``{{{name}}}`` and ``{{{{name}}}}``;
- ``{{else}}`` and ``{{this}}``, which belong to Handlebars blocks.
"""

import re
from collections.abc import Iterator

NAME_MAX_LENGTH = 64
RESERVED_NAMES = frozenset({"else", "this"})

# Possessive and bounded repeats: one pass over any text, whatever braces and spaces it holds.
PLACEHOLDER = re.compile(r"(?<!\{)\{\{[ \t]*+([^\s{}]{1,64}+)[ \t]*+\}\}")

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def is_name(name: str) -> bool:
    return len(name) <= NAME_MAX_LENGTH and name.isidentifier() and name not in RESERVED_NAMES


def find_placeholders(text: str) -> Iterator[re.Match[str]]:
    """Each ``{{ name }}`` of the text as a match whose first group is the name."""
    return (match for match in PLACEHOLDER.finditer(text) if is_name(match[1]))


def find_names(*texts: str) -> list[str]:
    """The names used in the texts, each once, in the order of their first use."""
    return list(dict.fromkeys(match[1] for text in texts for match in find_placeholders(text)))


def name_words(name: str) -> list[str]:
    """``customerName``, ``customer_name`` and ``CUSTOMER_NAME`` are all ``["customer", "name"]``."""
    return [word.lower() for part in name.split("_") for word in _CAMEL.sub(" ", part).split()]


def label_for(name: str) -> str:
    """A label for people: ``customer_name`` becomes "Customer name"."""
    label = " ".join(name_words(name))
    return (label[:1].upper() + label[1:]) or name
