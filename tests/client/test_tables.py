"""Tables of one's own, through the client: loaded from whatever people hold, read back, changed, restored."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import MaskedColumn, Table

from awe.client import Client, LoadWarning, connect
from awe.client._sending import Sender
from awe.errors import (
    AuthenticationError,
    ConflictError,
    ForbiddenError,
    InputFileError,
    LimitError,
    NotFoundError,
    ParameterError,
    UnavailableError,
    UsageError,
)
from awe.testing import TINY_TABLE, log_in, tiny_archive

IDS = [1237648720693755918, 9007199254740993, 9223372036854775807]


@pytest.fixture(scope="module")
def sky(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Return the folder of an archive and the tokens of its users."""
    made = tmp_path_factory.mktemp("sky")
    (made / "awe.toml").write_text("[limits]\nupload_bytes = 100_000\n")
    with tiny_archive(made) as platform:
        for name in ("ada", "bob"):
            platform.accounts.add(name, by="local:test", password="correct horse")
        return made, {name: log_in(platform, name) for name in ("ada", "bob")}


@pytest.fixture(scope="module")
def ada(sky: tuple[Path, dict[str, str]]) -> Iterator[Client]:
    folder, tokens = sky
    with connect(folder, token=tokens["ada"]) as archive:
        yield archive


@pytest.fixture(scope="module")
def bob(sky: tuple[Path, dict[str, str]], ada: Client) -> Client:
    return Client(_other(ada, sky[1]["bob"]))


@pytest.fixture(scope="module")
def stranger(ada: Client) -> Client:
    return Client(ada.transport.unknown())


def _other(client: Client, token: str) -> Any:
    made = client.transport.unknown()
    made.login(token)
    return made


def candidates() -> Table:
    table = Table(
        {
            "name": np.array(["a", "b, c", "d"]),
            "RAJ2000": np.array([187.7059, 187.71, 0.0]) * u.deg,
            "DEJ2000": np.array([12.3911, 12.4, -90.0]) * u.deg,
            "flux": MaskedColumn(np.array([1.5, 2.5, 3.5], "f4"), mask=[False, True, False], unit=u.mJy),
            "objid": np.array(IDS, np.uint64),
            "n": np.array([1, -(2**63), 2**53 + 1], np.int64),
        }
    )
    table["flux"].description = "at 21 cm"
    table["flux"].meta["ucd"] = "phot.flux;em.radio"
    return table


def check_same(found: Table) -> None:
    rows = {str(row["name"]): row for row in found}
    assert sorted(rows) == ["a", "b, c", "d"]
    for wanted in candidates():
        got = rows[str(wanted["name"])]
        assert (float(got["RAJ2000"]), float(got["DEJ2000"])) == (wanted["RAJ2000"], wanted["DEJ2000"])
        assert (int(got["objid"]), int(got["n"])) == (int(wanted["objid"]), int(wanted["n"]))
        flux = None if np.ma.is_masked(got["flux"]) or np.isnan(got["flux"]) else float(got["flux"])
        assert flux == (None if np.ma.is_masked(wanted["flux"]) else float(wanted["flux"]))


def written(form: str, path: Path) -> Path:
    table = candidates()
    if form == "vot":
        table["objid"] = table["objid"].astype(np.int64)  # VOTable has no unsigned ones of 64 bits
    if form == "csv":
        table.write(path, format="ascii.csv", fill_values=[("nan", "")])
    elif form == "parquet":
        table.to_pandas().to_parquet(path)
    else:
        table.write(path, format={"vot": "votable", "ecsv": "ascii.ecsv"}.get(form, form))
    return path


@pytest.mark.parametrize("form", ["fits", "ecsv", "vot", "parquet", "csv"])
def test_files_of_every_kind(ada: Client, tmp_path: Path, form: str) -> None:
    made = ada.tables.load(written(form, tmp_path / f"mine.{form}"), f"mydb.file_{form}")
    assert (made.name, made.rows, made.owner) == (f"mydb.file_{form}", 3, "ada")
    assert (made.ra, made.dec) == ("RAJ2000", "DEJ2000")
    found = ada.query(f"SELECT * FROM mydb.file_{form}")
    check_same(found)
    if form not in {"csv", "parquet"}:  # which say no units
        assert found["flux"].unit == u.mJy


@pytest.mark.parametrize("kind", ["astropy", "pandas", "arrow"])
def test_tables_in_memory(ada: Client, kind: str) -> None:
    table = candidates()
    frame = table.to_pandas()
    what = {"astropy": table, "pandas": frame, "arrow": pa.Table.from_pandas(frame)}[kind]
    ada.tables.load(what, f"memory_{kind}")
    found = ada.query(f"SELECT * FROM mydb.memory_{kind}")
    check_same(found)
    if kind == "astropy":
        assert (found["flux"].unit, found["flux"].description) == (u.mJy, "at 21 cm")
        assert found["flux"].meta["ucd"] == "phot.flux;em.radio"


def test_twenty_digits_are_kept(ada: Client, tmp_path: Path) -> None:
    ids = [18446744073709551615, 12345678901234567890, 7]
    (tmp_path / "ids.csv").write_text("objid,n\n" + "".join(f"{i},1\n" for i in ids))
    ada.tables.load(tmp_path / "ids.csv", "mydb.ids")
    assert sorted(int(v) for v in ada.query("SELECT objid FROM mydb.ids")["objid"]) == sorted(ids)
    (found,) = ada.query(f"SELECT objid FROM mydb.ids WHERE objid = {ids[1]}")["objid"]
    assert int(found) == ids[1]
    for form in ("csv", "parquet", "fits", "vot"):
        path = ada.tables.export("mydb.ids", tmp_path / f"back.{form}")
        again = ada.tables.load(path, f"mydb.ids_{form}")
        assert sorted(int(v) for v in ada.query(f"SELECT objid FROM {again.name}")["objid"]) == sorted(ids)


def test_one_hdu_of_several(ada: Client, tmp_path: Path) -> None:
    hdus = [fits.BinTableHDU(Table({"n": np.arange(n)}), name=f"T{n}") for n in (2, 5)]
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(tmp_path / "two.fits")
    assert ada.tables.load(f"{tmp_path / 'two.fits'}[T5]", "mydb.hdu").rows == 5


@pytest.mark.slow
def test_a_large_file_in_many_pieces_comes_back_bit_for_bit(ada: Client, tmp_path: Path) -> None:
    numbers = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "id": numbers.integers(-(2**62), 2**62, 30_000),
            "ra": numbers.uniform(0, 360, 30_000),
            "dec": np.degrees(np.arcsin(numbers.uniform(-1, 1, 30_000))),
            "word": numbers.choice(["x", "y z", 'q"'], 30_000),
        }
    )
    frame.to_csv(tmp_path / "large.csv", index=False)
    assert (tmp_path / "large.csv").stat().st_size > 10 * 100_000  # pieces have 100 kB at the most
    made = ada.tables.load(tmp_path / "large.csv", "mydb.large")
    assert (made.rows, made.ra, made.dec) == (30_000, "ra", "dec")
    ada.tables.export("mydb.large", tmp_path / "back.parquet")
    back = pd.read_parquet(tmp_path / "back.parquet").sort_values("id", ignore_index=True)
    pd.testing.assert_frame_equal(back, frame.sort_values("id", ignore_index=True), check_dtype=False)
    near = frame[np.hypot((frame.ra - 180) * np.cos(np.radians(frame.dec)), frame.dec) < 3]
    assert set(ada.cone("mydb.large", (180.0, 0.0), 2.5)["id"]) <= set(near.id)


def test_create_replace_append(ada: Client) -> None:
    first = pd.DataFrame({"n": [1, 2], "word": ["a", "b"]})
    ada.tables.load(first, "mydb.modes", title="Modes", description="How to write")
    with pytest.raises(ConflictError, match="There is already an object named 'modes' in the database"):
        ada.tables.load(first, "mydb.modes")
    appended = ada.tables.load(first[["word", "n"]], "mydb.modes", mode="append")
    assert (appended.rows, appended.title, appended.version) == (4, "Modes", 2)
    with pytest.raises(UsageError, match="mag"):
        ada.tables.load(pd.DataFrame({"n": [1], "mag": [2.0]}), "mydb.modes", mode="append")
    replaced = ada.tables.load(pd.DataFrame({"mag": [1.5]}), "mydb.modes", mode="replace")
    assert (replaced.rows, replaced.version) == (1, 3)
    kept = ada.tables.versions("mydb.modes")
    assert [(v.version, v.rows, v.ended is None) for v in kept] == [
        (1, 2, False),
        (2, 4, False),
        (3, 1, True),
    ]
    assert ada.tables.restore("mydb.modes", 2).rows == 4
    assert sorted(ada.query("SELECT n FROM mydb.modes")["n"]) == [1, 1, 2, 2]
    with pytest.raises(NotFoundError, match=r"no table mydb\.nothing"):
        ada.tables.load(first, "mydb.nothing", mode="append")
    with pytest.raises(NotFoundError, match="version 9"):
        ada.tables.restore("mydb.modes", 9)


def test_drop_rename_copy_restore(ada: Client, stranger: Client) -> None:
    ada.tables.load(pd.DataFrame({"n": [1, 2, 3]}), "mydb.coming")
    assert ada.tables.rename("mydb.coming", "mydb.going").name == "mydb.going"
    with pytest.raises(NotFoundError, match="coming"):
        ada.tables.show("mydb.coming")
    ada.tables.drop("mydb.going")
    assert "mydb.going" not in {t.name for t in ada.tables.list("own")}
    (gone,) = (one for one in ada.tables.dropped() if one.name == "mydb.going")
    assert gone.rows == 3
    assert ada.tables.restore("mydb.going").rows == 3
    copied = ada.tables.copy(TINY_TABLE, "mydb.copied")
    assert (copied.rows, copied.ra) == (500, "ra")
    with pytest.raises(ConflictError):
        ada.tables.copy(TINY_TABLE, "mydb.copied")
    with pytest.raises(NotFoundError):
        ada.tables.drop(TINY_TABLE)
    assert stranger.tables.show(TINY_TABLE).rows == 500


def test_words_and_positions(ada: Client) -> None:
    frame = pd.DataFrame({"alpha": [187.7059, 10.0], "delta": [12.3911, 20.0], "flux": [1.0, 2.0]})
    assert ada.tables.load(frame, "mydb.words").ra == ""
    said = ada.tables.describe(
        "mydb.words", title="Words", columns={"flux": {"unit": "mJy", "ucd": "phot.flux"}}
    )
    assert (said.title, said.version) == ("Words", 1)
    assert ada.query("SELECT flux FROM mydb.words")["flux"].unit == u.mJy
    assert said.columns is not None
    assert list(said.columns["ucd"]) == ["", "", "phot.flux"]
    with pytest.raises(NotFoundError, match="has no column flx"):
        ada.tables.describe("mydb.words", columns={"flx": {"unit": "mJy"}})
    indexed = ada.tables.index("mydb.words", "alpha", "delta")
    assert (indexed.ra, indexed.dec, indexed.title) == ("alpha", "delta", "Words")
    assert len(ada.cone("mydb.words", (187.7059, 12.3911), 0.01)) == 1
    assert ada.tables.index("mydb.words", None, None).ra == ""
    with pytest.raises(InputFileError, match="flux2"):
        ada.tables.index("mydb.words", "alpha", "flux2")
    told = ada.tables.load(frame, "mydb.told", ra="alpha", dec="delta")
    assert (told.ra, told.dec) == ("alpha", "delta")
    with pytest.raises(InputFileError, match="not a position on the sky"):
        ada.tables.load(pd.DataFrame({"ra": [1.0], "dec": [99.0]}), "mydb.bad", ra="ra", dec="dec")


def test_sharing(ada: Client, bob: Client, stranger: Client) -> None:
    ada.tables.load(pd.DataFrame({"n": [1, 2, 3]}), "mydb.ours")
    place = "user_ada.ours"
    with pytest.raises(NotFoundError):
        bob.tables.show(place)
    ada.tables.share("mydb.ours", "user:bob")
    assert [(t.name, t.owner) for t in bob.tables.list("shared")] == [(place, "ada")]
    assert bob.tables.show(place).rows == 3
    assert bob.tables.copy(place, "mydb.mine").rows == 3
    for change in (
        lambda: bob.tables.drop(place),
        lambda: bob.tables.rename(place, "user_ada.x"),
        lambda: bob.tables.load(pd.DataFrame({"n": [4]}), place, mode="append"),
        lambda: bob.tables.describe(place, title="x"),
        lambda: bob.tables.index(place, None, None),
    ):
        with pytest.raises(ForbiddenError):
            change()
    ada.tables.share("mydb.ours", "user:bob", action="write")
    assert bob.tables.load(pd.DataFrame({"n": [4]}), place, mode="append").rows == 4
    with pytest.raises(ForbiddenError):
        bob.tables.drop(place)
    with pytest.raises(AuthenticationError):
        stranger.tables.load(pd.DataFrame({"n": [4]}), "mydb.x")
    with pytest.raises(ParameterError, match="read or write"):
        ada.tables.share("mydb.ours", "user:bob", action="run")  # type: ignore[arg-type]
    assert {t.owner for t in stranger.tables.list()} == {""}


def test_lists(ada: Client) -> None:
    ada.tables.load(pd.DataFrame({"n": [1]}), "mydb.listed")
    own, published = ({t.name for t in ada.tables.list(of)} for of in ("own", "published"))
    assert "mydb.listed" in own
    assert TINY_TABLE in published
    assert not own & published
    assert own | published <= set(ada.tables()["table"])


def test_what_is_wrong_with_a_file_is_said(ada: Client, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b\n1,2\n3\n")
    with pytest.raises(InputFileError, match=r"bad\.csv, line 3: 1 cells, the header has 2"):
        ada.tables.load(bad, "mydb.bad")
    bad.write_bytes(b"")
    with pytest.raises(InputFileError, match="the file is empty"):
        ada.tables.load(bad, "mydb.bad")
    odd = tmp_path / "odd.csv"
    odd.write_text("ra,dec,mag\n1,2,3\n1,2,?\n1,2,4\n")
    with pytest.warns(LoadWarning, match=r"odd\.csv: column mag is text, because '\?' in line 3"):
        assert ada.tables.load(odd, "mydb.odd").rows == 3
    noise = tmp_path / "noise.dat"
    noise.write_bytes(b"\x01\x02\x03")
    with pytest.raises(InputFileError, match=r"noise\.dat: the format is not known"):
        ada.tables.load(noise, "mydb.bad")
    with pytest.raises(ParameterError, match="uploads"):
        ada.tables.load(tmp_path / "none.csv", "mydb.bad")
    with pytest.raises(ParameterError, match="not the name of a table"):
        ada.tables.load(odd, "mydb.no blanks")
    assert "mydb.bad" not in {t.name for t in ada.tables.list("own")}


def test_names_in_every_spelling(ada: Client) -> None:
    ada.tables.load(pd.DataFrame({"n": [1]}), "mydb://Spelled")
    for name in ("mydb.spelled", "MyDB.SPELLED", "mydb://spelled", "user_ada.spelled", "mydb..spelled"):
        assert ada.tables.show(name).name == "mydb.Spelled"


class Trouble:
    """A way to the service that breaks: before it is asked, or before it is heard."""

    def __init__(self, client: Client, breaks: dict[int, str]) -> None:
        self._transport, self._breaks = client.transport, breaks
        self.asked = 0
        self.sent = 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._transport, name)

        def ask(*given: Any, **named: Any) -> Any:
            self.asked += 1
            how = self._breaks.get(self.asked, "")
            if how == "before":
                raise UnavailableError("the line is dead")
            if how == "changed" and name == "put_bytes":
                given = (given[0], b"x" + given[1][1:], *given[2:])
            if name == "put_bytes":
                self.sent += len(given[1])
            answer = real(*given, **named)
            if how == "behind":
                raise UnavailableError("the line is dead")
            return answer

        return ask


@pytest.mark.parametrize("how", ["before", "behind", "changed"])
def test_a_line_that_breaks_costs_one_piece(ada: Client, tmp_path: Path, how: str) -> None:
    path = tmp_path / f"broken_{how}.csv"
    path.write_text("n,word\n" + "".join(f"{i},{'w' * 90}\n" for i in range(10_000)))
    size = path.stat().st_size
    every = dict.fromkeys(range(3, 60, 4), how)
    trouble = Trouble(ada, every)
    waits: list[float] = []
    order = {"table": f"mydb.broken_{how}", "mode": "create"}
    with path.open("rb") as content:
        done = Sender(trouble, waits.append).send(path.name, content, order)  # type: ignore[arg-type]
    assert done["phase"] == "loaded"
    assert waits
    assert size <= trouble.sent < 3 * size
    assert ada.query(f"SELECT COUNT(*) AS n, MAX(n) AS m FROM mydb.broken_{how}")[0].as_void().tolist() == (
        10_000,
        9_999,
    )


def test_another_program_goes_on_where_one_stopped(ada: Client, tmp_path: Path) -> None:
    path = tmp_path / "stopped.csv"
    path.write_text("n,word\n" + "".join(f"{i},{'w' * 90}\n" for i in range(10_000)))
    order = {"table": "mydb.stopped", "mode": "create"}
    dead = Trouble(ada, dict.fromkeys(range(6, 10_000), "before"))
    with path.open("rb") as content, pytest.raises(UnavailableError):
        Sender(dead, lambda _: None).send(path.name, content, order)  # type: ignore[arg-type]
    assert dead.sent > 0
    again = Trouble(ada, {})
    with path.open("rb") as content:
        Sender(again).send(path.name, content, order)  # type: ignore[arg-type]
    assert dead.sent + again.sent == path.stat().st_size
    assert ada.tables.show("mydb.stopped").rows == 10_000


def test_appending_is_done_once_although_the_answer_is_lost(ada: Client, tmp_path: Path) -> None:
    frame = pd.DataFrame({"n": [1, 2, 3]})
    ada.tables.load(frame, "mydb.once")
    path = tmp_path / "once.csv"
    frame.to_csv(path, index=False)
    lost = Trouble(ada, {4: "behind"})  # a list, an announcement, one piece, the table
    with path.open("rb") as content:
        Sender(lost, lambda _: None).send(path.name, content, {"table": "mydb.once", "mode": "append"})  # type: ignore[arg-type]
    assert lost.asked > 4
    assert ada.tables.show("mydb.once").rows == 6


def test_uploads_are_forgotten(ada: Client, bob: Client) -> None:
    made = ada.transport.send_json("POST", "/api/uploads", {"file": "x.csv", "size": 10})
    place = f"/api/uploads/{made['id']}"
    with pytest.raises(NotFoundError):
        bob.transport.get_json(place)
    ada.transport.put_bytes(place, b"n\n1\n", {"offset": 0})
    with pytest.raises(ConflictError, match="4 of the 10 bytes") as refused:
        ada.transport.send_json("POST", f"{place}/table", {"table": "mydb.x"})
    assert refused.value.fields["offset"] == 4
    with pytest.raises(LimitError, match="more has come than the 10 bytes"):
        ada.transport.put_bytes(place, b"n" * 11, {"offset": 4})
    ada.transport.send_json("DELETE", place)
    with pytest.raises(NotFoundError):
        ada.transport.get_json(place)


def test_nothing_is_said_where_all_is_well(ada: Client) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ada.tables.load(pd.DataFrame({"n": [1]}), "mydb.quiet")
