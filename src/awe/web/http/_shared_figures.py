"""Figures of several processes that serve together: whichever of them is asked tells those of all.

Each writes its own into a folder that they share, at most every two seconds while it answers; the one that is asked
reads them there. A label says which process counted, since each begins at nothing when it is begun again.
"""

import re
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["SharedFigures"]

_EVERY_S = 2.0
_SAMPLE = re.compile(rb"^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{(.*)\})?( .*)$")


@dataclass(slots=True)
class SharedFigures:
    """One process's place among the figures of all.

    Attributes
    ----------
    folder
        Shared by the processes.
    number
        Of this process.
    """

    folder: Path
    number: int
    _due: float = 0.0

    def is_due(self) -> bool:
        """Say whether the others should hear of this process's figures again."""
        return time.monotonic() >= self._due

    def tell(self, text: bytes) -> None:
        """Let the others read the figures of this process."""
        self._due = time.monotonic() + _EVERY_S
        half = self.folder / f".{self.number}"
        half.write_bytes(text)
        half.replace(self.folder / f"{self.number}.prom")

    def text(self) -> bytes:
        """Return the figures of all processes, each family once."""
        families: dict[bytes, tuple[list[bytes], list[bytes]]] = {}
        for path in sorted(self.folder.glob("*.prom")):
            _add(families, path.read_bytes(), path.stem.encode())
        lines = [line for head, samples in families.values() for line in (*head, *samples)]
        return b"".join(line + b"\n" for line in lines)


def _add(families: dict[bytes, tuple[list[bytes], list[bytes]]], text: bytes, process: bytes) -> None:
    """Add the samples of one process; a family begins with its HELP."""
    head: list[bytes] = []
    samples: list[bytes] = []
    for line in text.splitlines():
        if line.startswith(b"# HELP "):
            head, samples = families.setdefault(line.split(b" ", 3)[2], ([], []))
        if not line.startswith(b"#"):
            samples.append(_labelled(line, process))
        elif line not in head:
            head.append(line)


def _labelled(line: bytes, process: bytes) -> bytes:
    return _SAMPLE.sub(
        lambda found: (
            b'%s{process="%s"%s}%s' % (found[1], process, b"," + found[2] if found[2] else b"", found[3])
        ),
        line,
    )
