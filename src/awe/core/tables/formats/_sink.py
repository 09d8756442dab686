"""A file for writers that want one, whose content leaves in pieces."""

__all__ = ["Sink"]


class Sink:
    """A file that keeps what was written until it is taken."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keep some bytes."""
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """Return what was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)

    def flush(self) -> None:
        """Nothing to do: what is written waits to be taken."""

    def close(self) -> None:
        """Nothing to do: there is no file."""
