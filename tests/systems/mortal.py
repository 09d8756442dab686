"""Processes that end themselves by SIGKILL at a step that was drawn, not at a moment: no test waits for the right one.

A *step* is whatever a program does with a file of a folder (PEP 578 audit events: open, rename, make, remove, list,
lock). The n-th one is the same one on a slow and on a fast machine, as long as one thread takes them.
"""

import os
from pathlib import Path

__all__ = ["mortal"]

_HOOK = '''
"""Ends this process before the n-th thing that some thread does with some folder."""
import os, signal, sys, threading
folder, thread, name, left = os.environ["MORTAL"].split(os.pathsep)
left = int(left)
KINDS = ("open", "os.", "shutil.", "pathlib.")

def step(event, arguments):
    global left
    if not event.startswith(KINDS) or not threading.current_thread().name.startswith(thread):
        return
    place = str(arguments[0])
    if not place.startswith(folder) or name not in place or "/progress." in place:  # told of by the clock
        return
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(step)
'''


def mortal(into: Path, folder: Path, thread: str, steps: int, name: str = "") -> dict[str, str]:
    """Return the environment of a Python process that ends itself before its n-th step.

    Parameters
    ----------
    into
        An empty folder for what Python reads first (``sitecustomize``).
    folder
        Whose files are counted.
    thread
        How the name of the thread begins whose steps are counted.
    steps
        Which step it does not take, from 1.
    name
        Only steps are counted with files in whose path this stands.
    """
    into.mkdir()
    (into / "sitecustomize.py").write_text(_HOOK)
    source = Path(__file__).resolve().parents[2] / "src"
    return {
        "PYTHONPATH": f"{into}{os.pathsep}{source}",
        "MORTAL": os.pathsep.join([str(folder), thread, name, str(steps)]),
    }
