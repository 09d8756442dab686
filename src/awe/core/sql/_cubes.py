"""Cubes on a grid in space, by which positions are joined where the sky index does not help, as every target writes them."""

from collections.abc import Sequence
from itertools import product

__all__ = ["UNIT_VECTOR", "corners", "cube"]

UNIT_VECTOR = (
    "cos(radians({1})) * cos(radians({0}))",
    "cos(radians({1})) * sin(radians({0}))",
    "sin(radians({1}))",
)
"""Templates of the coordinates of a position: right ascension and declination (degrees)."""


def cube(whole: str, shifts: Sequence[str] = ("", "", "")) -> str:
    """Return the template of the number of the cube that a position stands in; 21 bits for each axis.

    Parameters
    ----------
    whole
        How a target writes the whole number not above ``%s``; its argument ``{2}`` is the size of a cube.
    shifts
        What is added to each coordinate.
    """
    axes = [
        f"({whole % f'({axis}{shift}) / {{2}}'} + 1048576)"
        for axis, shift in zip(UNIT_VECTOR, shifts, strict=True)
    ]
    return f"({axes[0]} * 4398046511104 + {axes[1]} * 2097152 + {axes[2]})"


def corners(whole: str) -> str:
    """Return those of the cubes that the eight corners around a position stand in, ``{3}`` away along each axis."""
    return ", ".join(cube(whole, shifts) for shifts in product((" - {3}", " + {3}"), repeat=3))
