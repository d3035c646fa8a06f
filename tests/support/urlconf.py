"""Every address of the product, as the URLconf knows them."""

from collections.abc import Iterator
from typing import NamedTuple

from django.urls import get_resolver
from django.urls.resolvers import URLPattern


class Address(NamedTuple):
    """``name`` with its namespace ("admin:index"), ``pattern`` as written, ``takes_arguments``."""

    name: str
    pattern: str
    takes_arguments: bool


def addresses() -> list[Address]:
    """Every address of the URLconf, included files too."""
    return list(_walk(get_resolver().url_patterns, "", ""))


def _walk(patterns, prefix: str, namespace: str) -> Iterator[Address]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield Address(f"{namespace}{pattern.name}", path, "<" in path)
        else:
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern.url_patterns, path, inner)
