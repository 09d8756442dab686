"""SQL in the cells of a notebook: a real IPython against a real archive."""

import atexit
from collections.abc import Iterator
from typing import Any

import pytest
from astropy.table import Table
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from awe.client import Client, Job, connect
from awe.testing import TINY_TABLE, tiny_archive

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("sky")
    with tiny_archive(folder) as platform:
        platform.accounts.add("ada", by="local:test", password="correct horse")
    with connect(folder) as opened:
        opened.login("ada", "correct horse")
        yield opened


@pytest.fixture
def shell(archive: Client) -> Iterator[Any]:
    make: Any = InteractiveShell
    opened = make()
    opened.user_ns["archive"] = archive
    assert opened.run_cell("%load_ext awe\n%awe archive").success
    yield opened
    opened.history_manager.end_session()
    atexit.unregister(opened.atexit_operations)


def run(shell: Any, cell: str) -> Any:
    with capture_output():
        done = shell.run_cell(cell)
    done.raise_error()
    return done.result


def test_a_cell_gives_rows(shell: Any) -> None:
    rows = run(shell, f"%%adql\nSELECT TOP 3 id\nFROM {TINY_TABLE} ORDER BY id")
    assert isinstance(rows, Table)
    assert list(rows["id"]) == [1, 2, 3]
    assert run(shell, f"%%adql -o three --max-rows 2\nSELECT id FROM {TINY_TABLE} ORDER BY id") is None
    assert list(shell.user_ns["three"]["id"]) == [1, 2]
    joined = "%%adql --upload mine=three\nSELECT COUNT(*) AS n FROM TAP_UPLOAD.mine"
    assert list(run(shell, joined)["n"]) == [2]


def test_a_cell_is_a_batch(shell: Any) -> None:
    both = run(
        shell, "%%sql --context tiny\nSELECT TOP 1 id INTO mydb.one FROM sources\nSELECT id FROM mydb.one"
    )
    assert [list(table.colnames) for table in both] == [["Rows Affected"], ["id"]]
    limited = run(shell, f"%%sql --lang postgres\nSELECT id FROM {TINY_TABLE} ORDER BY id LIMIT 2")
    assert list(limited["id"]) == [1, 2]


def test_a_cell_makes_a_table_or_a_job(shell: Any) -> None:
    cell = f"SELECT TOP 4 id FROM {TINY_TABLE}"
    assert list(run(shell, f"%%adql --into mydb.four\n{cell}")["Rows Affected"]) == [4]
    job = run(shell, f"%%adql --into mydb.four --replace --long\n{cell}")
    assert isinstance(job, Job)
    assert job.wait().phase == "COMPLETED"


def test_a_wrong_cell_says_what_is_wrong_and_nothing_of_the_way_there(shell: Any) -> None:
    for cell, told in (
        ("%%adql\nSELECT id FROM nowhere.x", "line 1, column 16: no table nowhere.x"),
        ("%%adql --upload mine=nix\nSELECT 1", "there is no variable 'nix'"),
    ):
        with capture_output() as shown:
            done = shell.run_cell(cell)
        assert not done.success
        assert told in shown.stderr + shown.stdout
        assert "Traceback" not in shown.stderr + shown.stdout


def completed(shell: Any, cell: str) -> set[str]:
    """Return the cells that Tab makes of one, at its end."""
    with provisionalcompleter():
        return {cell[: c.start] + c.text for c in shell.Completer.completions(cell, len(cell))}


def test_tab_completes_tables_columns_and_words(shell: Any) -> None:
    cell = "%%adql\nSELECT id FROM "
    assert f"{cell}{TINY_TABLE}" in completed(shell, f"{cell}tin")
    assert f"{cell}{TINY_TABLE}" in completed(shell, f"{cell}tiny.so")
    cell = f"%%adql\nSELECT id FROM {TINY_TABLE} AS t WHERE "
    assert completed(shell, f"{cell}de") == {f"{cell}dec"}
    assert completed(shell, f"{cell}t.ma") == {f"{cell}t.mag"}
    assert completed(shell, f"{cell}u.ma") == set()
    assert f"{cell}id = 1 ORDER BY" in completed(shell, f"{cell}id = 1 ord")


def test_other_cells_are_completed_as_ever(shell: Any) -> None:
    assert "archive" in completed(shell, "archi")
    assert not {c for c in completed(shell, "tin") if "tiny" in c}
