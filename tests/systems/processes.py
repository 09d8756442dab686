"""The processes of a service that runs, as Linux lists them: whom a test kills, and whether they are gone."""

from pathlib import Path

__all__ = ["alive", "parents", "started_by"]


def parents() -> dict[int, int]:
    """Return all processes with those that started them."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            found[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    return found


def started_by(pid: int) -> set[int]:
    """Return the processes that a process has started, and theirs; their numbers may be smaller than its own."""
    parent_of = parents()
    found: set[int] = set()
    more = {pid}
    while more:
        more = {child for child, parent in parent_of.items() if parent in more}
        found |= more
    return found


def alive(pid: int) -> bool:
    """Tell whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
