"""One table, made with each client, is read, shared with a group, queried by its member and dropped with each other.

The clients are the real ones: awe's, astroquery's TapPlus (the Gaia archive), pyvo (CADC's YouCat), ``casjobs`` (SciServer)
and ``astro-datalab`` (the Data Lab). *ada* makes the table `mydb.x` with one of them; with another one she reads it, shares
it with the group *team* and, when *bob* of that group has queried ``user_ada.x`` with the same client, drops it. A client
that cannot share is helped by awe's. *eve*, who is not in the group, finds nothing at any time.
"""

import gc
import io
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import pyvo
import requests
from astropy.table import Table
from pyvo.utils import activate_features, prototype
from tests.systems.datalab import DataLabClient

from awe.client import connect
from awe.platform import Platform
from awe.services.identity import GroupRole, GroupStore
from awe.testing import log_in, tiny_archive
from awe.web.compat.sciserver._account import wsid_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # the clients leave their connections open
]
PASSWORD = "correct horse"

Rows = list[tuple[int, float, float, str]]
ROWS: Rows = [
    (2**62 + 1, 187.70, 12.39, "M87"), (2**62 + 3, 187.71, 12.40, "a, b"), (-5, 0.01, -80.0, "c d"), (7, 359.99, 45.0, "e"),
]  # fmt: skip
NAMES = ("number", "ra", "dec", "word")


def table_of(rows: Rows) -> Table:
    return Table(rows=rows, names=NAMES, dtype=(np.int64, np.float64, np.float64, str))


def rows_of(table: Any) -> Rows:
    """Return the rows of whatever table a client gives, by number."""
    frame = table.to_pandas() if isinstance(table, Table) else table
    found = zip(*(frame[name].tolist() for name in NAMES), strict=True)
    return sorted((int(n), float(ra), float(dec), str(word)) for n, ra, dec, word in found)


class Client(ABC):
    """One of the five, as somebody who has logged in."""

    def __init__(self, world: "World", user: str) -> None:
        self.world, self.user = world, user

    @abstractmethod
    def make(self, name: str) -> None:
        """Make ``mydb.name`` of `ROWS`."""

    @abstractmethod
    def read(self, full_name: str) -> Rows:
        """Return the rows of a table, which may be somebody else's."""

    @abstractmethod
    def drop(self, name: str) -> None:
        """Drop ``mydb.name``."""

    def share(self, name: str) -> None:
        """Share ``mydb.name`` with the team: with awe's own client, where this one cannot."""
        self.world.awe(self.user).tables.share(f"mydb.{name}", "group:team")


class World:
    """The archive, and what its clients need to know of it."""

    def __init__(self, platform: Platform, url: str, secure: str, datalab: DataLabClient) -> None:
        self.platform, self.url, self.secure, self.datalab = platform, url, secure, datalab

    def token(self, user: str) -> str:
        return log_in(self.platform, user)

    def awe(self, user: str) -> Any:
        return connect(self.url, token=self.token(user))


class AweClient(Client):
    def make(self, name: str) -> None:
        self.world.awe(self.user).tables.load(table_of(ROWS), f"mydb.{name}")

    def read(self, full_name: str) -> Rows:
        return rows_of(self.world.awe(self.user).query(f"SELECT * FROM {full_name}"))

    def drop(self, name: str) -> None:
        self.world.awe(self.user).tables.drop(f"mydb.{name}")


class TapPlusClient(Client):
    @property
    def _tap(self) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what astroquery's import of its own modules warns of
            from astroquery.utils.tap.core import TapPlus
        tap = TapPlus(url=f"{self.world.secure}/tap", upload_context="Upload", table_edit_context="TableTool")
        tap.login(user=self.user, password=PASSWORD)
        return tap

    def make(self, name: str) -> None:
        self._tap.upload_table(upload_resource=table_of(ROWS), table_name=name)

    def read(self, full_name: str) -> Rows:
        return rows_of(self._tap.launch_job(f"SELECT * FROM {full_name}").get_results())

    def drop(self, name: str) -> None:
        self._tap.delete_user_table(table_name=name)

    def share(self, name: str) -> None:
        self._tap.share_table(group_name="team", table_name=f"user_{self.user}.{name}", description="ours")


VODATASERVICE = """<?xml version="1.0" encoding="UTF-8"?>
<vosi:table xmlns:vosi="http://www.ivoa.net/xml/VOSITables/v1.0" xmlns:vs="http://www.ivoa.net/xml/VODataService/v1.1"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" type="output">
  <name>mydb.{name}</name>
  <column><name>number</name><dataType xsi:type="vs:VOTableType">long</dataType></column>
  <column><name>ra</name><unit>deg</unit><dataType xsi:type="vs:VOTableType">double</dataType></column>
  <column><name>dec</name><unit>deg</unit><dataType xsi:type="vs:VOTableType">double</dataType></column>
  <column><name>word</name><dataType xsi:type="vs:VOTableType" arraysize="*">char</dataType></column>
</vosi:table>"""


class PyvoClient(Client):
    @property
    def _tap(self) -> Any:
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {self.world.token(self.user)}"
        return pyvo.dal.TAPService(f"{self.world.url}/tap", session=session)

    def make(self, name: str) -> None:
        tap = self._tap
        tap.create_table(f"mydb.{name}", io.BytesIO(VODATASERVICE.format(name=name).encode()))
        lines = ["\t".join(NAMES), *("\t".join(map(repr, row[:3])) + f"\t{row[3]}" for row in ROWS)]
        tap.load_table(f"mydb.{name}", io.BytesIO("\n".join([*lines, ""]).encode()))

    def read(self, full_name: str) -> Rows:
        return rows_of(self._tap.run_sync(f"SELECT * FROM {full_name}").to_table())

    def drop(self, name: str) -> None:
        self._tap.remove_table(f"mydb.{name}")


class CasJobsClient(Client):
    @property
    def _casjobs(self) -> Any:
        from casjobs import CasJobs

        return CasJobs(
            userid=wsid_of(self.user), password=PASSWORD, request_type="POST", context="MyDB",
            base_url=f"{self.world.url}/CasJobs/services/jobs.asmx",
        )  # fmt: skip

    def make(self, name: str) -> None:
        casjobs = self._casjobs
        casjobs.quick(f"CREATE TABLE mydb.{name} (number bigint, ra float, dec float, word varchar(20))")
        for row in ROWS:
            casjobs.quick(f"INSERT INTO mydb.{name} VALUES ({', '.join(map(repr, row))})")

    def read(self, full_name: str) -> Rows:
        said = self._casjobs.quick(f"SELECT number, ra, dec, word FROM {full_name}")
        head, _, body = said.partition("\n")
        assert head == "[number]:bigint,[ra]:float,[dec]:float,[word]:varchar"
        return rows_of(pd.read_csv(io.StringIO(body), names=list(NAMES), dtype={"number": np.int64}))

    def drop(self, name: str) -> None:
        self._casjobs.drop_table(name)


class DataLab(Client):
    def _run(self, script: str) -> dict[str, Any]:
        login = f'token = ac.login("{self.user}", "{PASSWORD}")\n'
        return dict(self.world.datalab.run(self.world.url, login + script))

    def make(self, name: str) -> None:
        text = table_of(ROWS).to_pandas().to_csv(index=False)
        said = self._run(
            f'open("rows.csv", "w").write({text!r})\nsay(made=qc.mydb_import("{name}", "rows.csv"))'
        )
        assert said["made"] == "OK"

    def read(self, full_name: str) -> Rows:
        said = self._run(f'say(rows=qc.query(sql="select * from {full_name}", fmt="csv"))')
        assert not said["rows"].startswith("Error"), said["rows"]
        return rows_of(pd.read_csv(io.StringIO(said["rows"]), dtype={"number": np.int64}))

    def drop(self, name: str) -> None:
        assert self._run(f'say(dropped=qc.mydb_drop("{name}"))')["dropped"] == "OK"


CLIENTS: dict[str, type[Client]] = {
    "awe": AweClient, "astroquery": TapPlusClient, "pyvo": PyvoClient, "casjobs": CasJobsClient, "datalab": DataLab,
}  # fmt: skip


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory,
    certificates: Path,
    serving: Callable[..., AbstractContextManager[str]],
    datalab_client: DataLabClient,
) -> Iterator[World]:
    activate_features("cadc-tb-upload")
    options = {"ssl_certfile": certificates / "server.pem", "ssl_keyfile": certificates / "server.key"}
    with tiny_archive(tmp_path_factory.mktemp("five")) as platform, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))
        for name in ("ada", "bob", "eve"):
            platform.accounts.add(name, by="local:test", password=PASSWORD)
        groups = GroupStore(platform.system)
        groups.add("team", "", "ada")
        groups.put_member("team", "bob", GroupRole.MEMBER)
        with serving(platform) as address, serving(platform, **options) as secure:
            yield World(
                platform, address, secure.replace("http://127.0.0.1", "https://localhost"), datalab_client
            )
        gc.collect()  # here, where what they leave open is ignored
    prototype.features["cadc-tb-upload"].on = False


@pytest.mark.parametrize("other", CLIENTS)
@pytest.mark.parametrize("maker", CLIENTS)
def test_a_table_of_one_client_is_at_home_in_the_other(world: World, maker: str, other: str) -> None:
    name = f"from_{maker}_to_{other}"
    ada, bob = CLIENTS[other](world, "ada"), CLIENTS[other](world, "bob")
    CLIENTS[maker](world, "ada").make(name)
    assert ada.read(f"mydb.{name}") == ada.read(f"user_ada.{name}") == sorted(ROWS)
    assert_nothing(bob, name)
    ada.share(name)
    assert bob.read(f"user_ada.{name}") == sorted(ROWS)
    assert_nothing(CLIENTS[other](world, "eve"), name)
    ada.drop(name)
    for gone in (ada, bob, CLIENTS[maker](world, "ada")):
        assert_nothing(gone, name)
    assert name not in {
        table.name for table in world.platform.tables.tables(world.platform.identity.known("ada"))
    }


def assert_nothing(client: Client, name: str) -> None:
    """Assert that a client is told that there is no such table."""
    with pytest.raises(Exception, match=f"(?i)no table|Invalid object name|does not exist|{name}"):
        client.read(f"user_ada.{name}")
