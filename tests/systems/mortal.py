"""Processes that end themselves by SIGKILL at a step that was drawn, not at a moment: no test waits for the right one.

A *step* is what a program does with a file of some folder (an audit event of PEP 578: it opens, renames, makes, removes,
lists) or what it says is one. The n-th step is the same one on a slow and on a fast machine.
"""

import os
import signal
import sys
import threading
from pathlib import Path

__all__ = ["ROOT", "Steps", "mortal"]

ROOT = Path(__file__).resolve().parents[2]
_KINDS = ("open", "os.", "shutil.", "pathlib.")
_BEGIN = """
import os
from tests.systems.mortal import Steps
folder, thread, name, steps = os.environ["MORTAL"].split(os.pathsep)
Steps(folder, thread, name).end_in(int(steps))
"""


class Steps:
    """Counts the steps of this process, which ends before the one that it is told.

    Parameters
    ----------
    folder
        What is done with files in it is a step.
    thread
        How the name of the thread begins whose steps are counted; of any thread when empty.
    name
        Only what is done with files in whose path this stands.

    Attributes
    ----------
    taken
        How many there were.
    """

    def __init__(self, folder: str, thread: str = "", name: str = "") -> None:
        self.taken = 0
        self._last = 0
        self._folder, self._thread, self._name = folder, thread, name
        sys.addaudithook(self._heard)

    def end_in(self, steps: int) -> None:
        """Do not take the step that is so many from here; 1 is the next one."""
        self._last = self.taken + steps

    def take(self, *_: object) -> None:
        """Count a step."""
        self.taken += 1
        if self.taken == self._last:
            os.kill(os.getpid(), signal.SIGKILL)

    def _heard(self, event: str, arguments: tuple[object, ...]) -> None:
        if (
            arguments
            and event.startswith(_KINDS)
            and threading.current_thread().name.startswith(self._thread)
        ):
            place = str(arguments[0])
            # how far some work is, is written now and then, by the clock
            if place.startswith(self._folder) and self._name in place and "/progress." not in place:
                self.take()


def mortal(into: Path, folder: Path, thread: str, steps: int, name: str = "") -> dict[str, str]:
    """Return the environment of a Python process that ends before its n-th step.

    Parameters
    ----------
    into
        An empty folder for what Python reads first (``sitecustomize``).
    folder, thread, name
        As `Steps` takes them.
    steps
        Which step it does not take, from 1.
    """
    into.mkdir()
    (into / "sitecustomize.py").write_text(_BEGIN)
    return {
        "PYTHONPATH": os.pathsep.join(map(str, (into, ROOT / "src", ROOT))),
        "MORTAL": os.pathsep.join([str(folder), thread, name, str(steps)]),
    }
