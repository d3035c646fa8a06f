"""Lots named inside a French sentence."""

from collections.abc import Collection


def lots_told(numbers: Collection[int]) -> str:
    """« lot 2 », « lots 1, 2 et 5 », in their order; ``numbers`` is not empty."""
    *first, last = [str(number) for number in sorted(numbers)]
    return f"lots {', '.join(first)} et {last}" if first else f"lot {last}"


def the_lots(numbers: Collection[int]) -> str:
    """« le lot 2 », « les lots 1, 2 et 5 »."""
    return f"{'le' if len(numbers) == 1 else 'les'} {lots_told(numbers)}"
