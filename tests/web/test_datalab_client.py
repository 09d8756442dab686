"""The Data Lab's own client (astro-datalab 2.24, unmodified) against a real server."""

import json
from pathlib import Path

import pytest
from tests.systems.datalab import DataLabClient

from awe.platform import Platform
from awe.testing import TINY_TABLE

pytestmark = pytest.mark.slow


def test_logins(datalab_client: DataLabClient, server: str) -> None:
    said = datalab_client.run(
        server,
        """
        say(alive=[module.isAlive(f"{B}/{name}{end}") for module, name in ((ac, "auth"), (qc, "query"), (sc, "storage"))
                   for end in ("", "/")])
        say(nobody=ac.whoAmI(), wrong=ac.login("ada", "wrong"), unknown=ac.login("nobody", "wrong"))
        token = ac.login("ada", "correct horse")
        say(token=token, me=ac.whoAmI(), valid=ac.isValidToken(token), other=ac.isValidToken(token + "0"))
        say(logged=ac.isUserLoggedIn("ada"), of_token=ac.isTokenLoggedIn(token), eve=ac.isUserLoggedIn("eve"))
        say(user=[ac.isValidUser("ada"), ac.isValidUser("nobody")])
        say(passwords=[ac.isValidPassword("ada", "correct horse"), ac.isValidPassword("ada", "wrong")])
        say(access=[ac.hasAccess(token, "tiny.sources"), ac.hasAccess(token, "tiny.none"), ac.hasAccess("ada", "tiny.sources")])
        say(again=ac.login("ada"), profiles=ac.list_profiles(token))
        say(reset=error(ac.ac_client.passwordReset, token, "ada", "another one"))
        say(out=ac.logout(token), after=ac.isValidToken(token), gone=error(ac.ac_client.logout, token))
        """,
    )
    assert said["alive"] == [True] * 6
    for refused in (said["wrong"], said["unknown"]):  # who is not known is not told who is
        assert refused.startswith("Error: the user name or the password is wrong")
    assert said["token"].startswith("ada.")
    assert len(said["token"]) <= 128
    assert (said["me"], said["again"]) == ("ada", said["token"])
    for truth, lie in (("valid", "other"), ("logged", "eve"), ("of_token", "after")):
        assert (said[truth], said[lie]) == (True, False), truth
    assert said["user"] == said["passwords"] == [True, False]
    assert said["access"] == [True, False, True]
    assert "needs the old one" in said["reset"]
    assert "Invalid user token" in said["gone"]


def test_queries_at_once(datalab_client: DataLabClient, server: str) -> None:
    said = datalab_client.run(
        server,
        """
        import numpy, astropy.io.fits, astropy.table
        q = "select id, ra, mag, flag, name from tiny.sources order by id limit 5;"
        rows = qc.query(sql=q)
        say(csv=rows, positional=qc.query(q) == rows, anonymous=qc.query(sql=q, token=None) == rows)
        say(headless=qc.query(sql=q, fmt="csv-noheader").splitlines()[0][:2], ascii=qc.query(sql=q, fmt="ascii").split("\\t")[0])
        for fmt in ("pandas", "table", "array", "structarray"):
            found = qc.query(sql="select id, mag from tiny.sources where mag != 'NaN' order by id limit 3", fmt=fmt)
            say(**{fmt: numpy.asarray(found["id"] if fmt != "array" else found[:, 0]).astype(int).tolist()})
        for fmt, name in (("votable", "x.vot"), ("fits", "x.fits"), ("hdf5", "x.h5"), ("csv", "x.csv")):
            say(**{"saved_" + fmt: qc.query(sql=q, fmt=fmt, out=name)})
        say(votable=qc.query(sql=q, fmt="votable")[:5])
        say(vot=astropy.table.Table.read("x.vot")["id"].tolist(), fits=astropy.io.fits.getdata("x.fits")["id"].tolist())
        say(same=open("x.csv").read() == rows)
        qc.query(sql=q, stream=True, out="y.csv")
        say(streamed=open("y.csv").read() == rows, adql=qc.query(adql="select top 2 id from tiny.sources order by id"))
        say(count=qc.query(sql="select count(*) from tiny.sources"))
        say(twice=qc.query(sql="select a.id, b.id from tiny.sources a join tiny.sources b on a.id = b.id where a.id < 3", fmt="pandas").columns.tolist())
        say(long=qc.query(sql="select count(*) from tiny.sources where id in (%s)" % ",".join(map(str, range(20000)))))
        say(wrong=error(qc.query, sql="select nix from tiny.sources"), absent=error(qc.query, sql="select * from x.y"))
        say(fmt=error(qc.query, sql=q, fmt="excel"), vos=error(qc.query, sql=q, out="vos://x.csv"))
        say(profile=error(qc.query, sql=q, profile="simbad"))
        """,
    )
    assert said["csv"].splitlines()[0] == "id,ra,mag,flag,name"
    assert said["csv"].splitlines()[1].startswith("1,")
    assert len(said["csv"].splitlines()) == 6
    assert [said[name] for name in ("positional", "anonymous", "same", "streamed")] == [True] * 4
    assert (said["headless"], said["ascii"]) == ("1,", "id")
    assert said["pandas"] == said["table"] == said["array"] == said["structarray"] == [1, 2, 3]
    assert {said[f"saved_{fmt}"] for fmt in ("votable", "fits", "hdf5", "csv")} == {"OK"}
    assert said["vot"] == said["fits"] == [1, 2, 3, 4, 5]
    assert said["votable"] == "<?xml"
    assert said["adql"] == "id\n1\n2\n"
    assert said["count"] == "count\n500\n"
    assert said["twice"] == ["id", "id_1"]
    assert said["long"].splitlines()[1] == "500"
    assert "nix" in said["wrong"]
    assert all(said[name].startswith("Error: ") for name in ("wrong", "absent", "fmt", "vos", "profile"))


def test_jobs(datalab_client: DataLabClient, server: str) -> None:
    said = datalab_client.run(
        server,
        """
        token = ac.login("ada", "correct horse")
        q = "select id, mag from tiny.sources order by id limit 3"
        say(waited=qc.query(sql=q, async_=True, wait=True), plain=qc.query(sql=q))
        job = qc.query(sql=q, async_=True, timeout=3600)
        say(job=job, wait=qc.wait(job, wait=0.1), status=qc.status(job), results=qc.results(job), error=qc.error(job))
        say(saved=qc.results(job, fname="x.csv", delete=False), file=open("x.csv").read())
        bad = qc.query(sql="select sqrt(-1) + 1/0 from tiny.sources", async_=True)
        say(text=qc.jobs(job), listed=[one["jobid"] for one in qc.jobs("*", format="json")])
        say(wrong=qc.query(sql="select nix from tiny.sources", async_=True, wait=True))
        say(votable=qc.query(sql=q, fmt="votable", async_=True, wait=True)[:5])
        say(frame=qc.query(sql=q, fmt="pandas", async_=True, wait=True)["id"].tolist())
        say(into=qc.query(sql=q, out="mydb://later", async_=True, wait=True), count=qc.query(sql="select count(*) from mydb://later"))
        say(taken=qc.query(sql=q, out="mydb://later", async_=True, wait=True))
        say(replaced=qc.query(sql=q + " offset 1", out="mydb://later", async_=True, wait=True, drop=True), drop=qc.mydb_drop("later"))
        say(abort=qc.abort(job), deleted=qc.jobs(job, option="delete"), gone=qc.status(job))
        """,
    )
    assert said["waited"] == said["results"] == said["file"] == said["plain"]
    assert (said["wait"], said["status"], said["saved"], said["error"]) == (
        "COMPLETED",
        "COMPLETED",
        "OK",
        "",
    )
    assert said["job"] in said["text"]
    assert said["job"] in said["listed"]
    assert said["wrong"].startswith("Error: ")
    assert "nix" in said["wrong"]
    assert (said["votable"], said["frame"]) == ("<?xml", [1, 2, 3])
    assert (said["into"], said["count"], said["replaced"], said["drop"]) == ("OK", "count\n3\n", "OK", "OK")
    assert said["taken"].startswith("Error: Table name already exists. ")
    assert (said["abort"], said["deleted"]) == ("OK", "1 jobs deleted\n")
    assert said["gone"].startswith("Error: there is no job")


def test_what_there_is(datalab_client: DataLabClient, server: str) -> None:
    said = datalab_client.run(
        server,
        """
        say(schemas=qc.schema(""), tables=qc.schema("tiny"), columns=qc.schema("tiny.sources"), column=qc.schema("tiny.sources.mag"))
        say(none=qc.schema("nix"), json=qc.schema("tiny.sources", format="json"))
        say(profiles=qc.list_profiles(), profile=qc.list_profiles(profile="default"), active=qc.get_profile())
        say(services=qc.services(), like=qc.services(name="tiny%"), resolved=qc.services(name="tap", mode="resolve"))
        say(vos=sc.services())
        """,
    )
    assert "tiny" in said["schemas"]
    assert "\nSchema: tiny\n" in said["tables"]
    assert "sources   Sources" in said["tables"]
    assert "\nSchema: tiny\n Table: sources\n" in said["columns"]
    assert "bigint" in said["columns"]
    assert "Magnitude [mag]" in said["column"]
    assert "Identifier" not in said["column"]
    assert said["none"].startswith("Error: there is no schema nix")
    assert json.loads(said["json"])[0]["Column Name"] == "id"
    assert (said["profiles"], said["active"]) == ("default", "default")
    assert said["profile"]["accessURL"] == f"{server}/tap"
    assert "tiny/sources" in said["like"]
    assert json.loads(said["resolved"]) == {"tap": f"{server}/tap"}
    assert "sia" in said["services"]


def test_own_tables(datalab_client: DataLabClient, server: str) -> None:
    said = datalab_client.run(
        server,
        """
        q = "select id, ra, dec, mag from tiny.sources where id <= 20 order by id"
        say(nobody=error(qc.query, sql=q, out="mydb://sub"))
        token = ac.login("ada", "correct horse")
        say(made=qc.query(sql=q, out="mydb://sub"), again=error(qc.query, sql=q, out="mydb://sub"))
        say(replaced=qc.query(sql=q + " limit 5", out="mydb://sub", drop=True))
        say(count=qc.query(sql="select count(*) from mydb://sub"))
        say(joined=qc.query(sql="select count(*) from mydb://sub as m, tiny.sources as t where q3c_join(m.ra, m.dec, t.ra, t.dec, 1./36000)"))
        say(listed=qc.mydb_list(), verbose=qc.mydb_list(verbose=True), columns=qc.mydb_list("sub", verbose=True), unknown=qc.mydb_list("nix"))
        say(copy=qc.mydb_copy("sub", "sub2"), copied=qc.mydb_list("sub2"), renamed=qc.mydb_rename("sub2", "sub3"))
        say(indexed=qc.mydb_index("sub3", q3c="ra,dec", cluster=True), column=qc.mydb_index("sub3", "id"))
        say(places=qc.mydb_list("sub3", index=True, verbose=True))
        say(emptied=qc.mydb_truncate("sub3"), left=qc.query(sql="select count(*) from mydb.sub3"))
        import collections
        say(created=qc.mydb_create("mine", collections.OrderedDict([("id", "bigint"), ("Ra.J2000", "double precision"), ("name", "text")])))
        say(text=qc.mydb_create("mine", "id,integer\\nflag,boolean\\n"))
        # the client compares bytes with text and takes each of these for done; nothing is
        qc.mydb_create("mine", "id,bigint\\n", drop=False), qc.mydb_create("mine", "id,quark\\n")
        say(columns2=qc.mydb_list("mine", verbose=True))
        say(drops=[qc.mydb_drop(name) for name in ("sub", "sub3", "mine")], gone=qc.mydb_drop("sub"), rest=qc.mydb_list())
        say(access=[ac.hasAccess(token, "mydb://sub"), qc.qc_client._mydb_flush(token)])
        """,
    )
    assert "log in" in said["nobody"] or "logged in" in said["nobody"]
    assert (said["made"], said["replaced"]) == ("OK", "OK")
    assert said["again"].startswith(
        "Error: Table name already exists. It can be dropped with queryClient.mydb_drop()"
    )
    assert said["count"] == "count\n5\n"
    assert said["joined"].splitlines()[1] == "5"
    assert said["listed"].split() == ["sub"]
    assert said["verbose"].startswith("sub,created:20")
    assert said["columns"].splitlines() == [
        "id,bigint,",
        "ra,double precision,",
        "dec,double precision,",
        "mag,real,",
    ]
    assert "not known" in said["unknown"]
    assert [
        said[name] for name in ("copy", "renamed", "indexed", "column", "emptied", "created", "text")
    ] == ["OK"] * 7
    assert said["copied"].split() == ["id", "ra", "dec", "mag"]
    assert said["places"].splitlines()[1] == "ra,double precision,q3c"
    assert said["left"].splitlines()[1] == "0"
    assert said["columns2"].splitlines() == ["id,integer,", "flag,boolean,"]
    assert said["drops"] == ["OK"] * 3
    assert "there is no table" in said["gone"]
    assert said["rest"].strip() == ""
    assert said["access"] == [False, "OK"]


def test_imports(datalab_client: DataLabClient, server: str) -> None:
    said = datalab_client.run(
        server,
        """
        import numpy, pandas
        from astropy.table import Table
        ac.login("ada", "correct horse")
        frame = pandas.DataFrame({"ID": [9007199254740993, 2, 3], "RA": [187.7, 187.71, numpy.nan], "Name": ["a,b", 'say "x"', None]})
        say(frame=qc.mydb_import("objects1", frame), columns=qc.mydb_list("objects1", verbose=True))
        say(rows=qc.query(sql="select * from mydb://objects1 order by id", fmt="csv"))
        say(exists=qc.mydb_import("objects1", frame), appended=qc.mydb_import("objects1", frame, append=True))
        say(count=qc.query(sql="select count(*) from mydb://objects1"))
        say(text=qc.mydb_import("objects2", "a,b\\n1,x\\n2,y\\n"), bars=qc.mydb_import("objects3", "a|b\\n1|x\\n", delimiter="|"))
        table = Table({"n": numpy.arange(200000), "value": numpy.linspace(0, 1, 200000)})
        table.write("big.csv"), table.write("t.fits"), table[:10].write("t.vot", format="votable")
        say(big=qc.mydb_import("objects4", "big.csv"), sum=qc.query(sql="select count(*), sum(n) from mydb://objects4"))
        say(fits=qc.mydb_import("objects5", "t.fits[1]"), vot=qc.mydb_import("objects6", "t.vot"))
        say(types=qc.mydb_list("objects5", verbose=True))
        say(schema=qc.mydb_import("objects7", "1,x\\n2,y\\n", csv_header=False, schema_def="id,bigint\\nname,text\\n"))
        say(of_schema=qc.mydb_list("objects7", verbose=True))
        say(bad=qc.mydb_import("objects8", "a,b\\n1,2\\n3\\n"), nothing=qc.mydb_import("objects8", "vos://x.csv"))
        qc.mydb_create("objects9", "id,bigint\\nname,text\\n")
        say(inserted=qc.mydb_insert("objects9", "id,name\\n1,one\\n"), plain=qc.mydb_insert("objects9", "2,two\\n", csv_header=False))
        say(framed=qc.mydb_insert("objects9", pandas.DataFrame({"name": ["three"], "id": [3]})))
        say(all=qc.query(sql="select * from mydb://objects9 order by id"))
        say(wrong=error(qc.mydb_insert, "objects9", "nix\\n1\\n"), absent=error(qc.mydb_insert, "nix", "id\\n1\\n"))
        say(drops=[qc.mydb_drop(name) for name in qc.mydb_list().split()])
        """,
    )
    assert said["frame"] == "OK"
    assert said["columns"].splitlines() == ["id,bigint,", "ra,double precision,", "name,text,"]
    assert said["rows"].splitlines() == [
        "id,ra,name",
        '2,187.71,"say ""x"""',
        "3,,",
        '9007199254740993,187.7,"a,b"',
    ]
    assert said["exists"].startswith("Error: Table name already exists")
    assert said["appended"] == "OK"
    assert said["count"] == "count\n6\n"
    assert (said["text"], said["bars"], said["big"], said["fits"], said["vot"], said["schema"]) == ("OK",) * 6
    assert said["sum"].splitlines()[1] == f"200000,{sum(range(200000))}"
    assert said["types"].splitlines() == ["n,bigint,", "value,double precision,"]
    assert said["of_schema"].splitlines() == ["id,bigint,", "name,text,"]
    assert "line 3" in said["bad"]
    assert "there is no ada/x.csv" in said["nothing"]
    assert (said["inserted"], said["plain"], said["framed"]) == ("OK",) * 3
    assert said["all"] == "id,name\n1,one\n2,two\n3,three\n"
    assert "no column nix" in said["wrong"]
    assert said["absent"].startswith("Error: ")
    assert set(said["drops"]) == {"OK"}


CONF = """\
[login]
status = loggedout
user =
authtoken =

[auth]
svc_url = {0}/datalab/auth

[query]
svc_url = {0}/datalab/query

[storage]
svc_url = {0}/datalab/storage

[res]
svc_url = {0}/datalab/res

[vospace]
mount =
"""


def test_the_command_line(datalab_client: DataLabClient, server: str, tmp_path: Path) -> None:
    (tmp_path / ".datalab").mkdir()
    (tmp_path / ".datalab" / "dl.conf").write_text(CONF.format(server))

    def datalab(*words: str) -> str:
        return datalab_client.command(tmp_path, "datalab", *words)

    assert "Welcome to the Data Lab, ada" in datalab("login", "user=ada", "password=correct horse")
    assert "ada" in datalab("whoami")
    sql = "select id, mag from tiny.sources order by id limit 2"
    assert datalab("query", f"sql={sql}", "fmt=csv").splitlines()[0] == "id,mag"
    datalab("query", f"sql={sql}", "out=mydb://cli")
    assert "cli" in datalab("mydb_list")
    assert "Magnitude" in datalab("schema", "val=tiny.sources")
    assert "tiny/sources" in datalab("services")
    datalab("mydb_drop", "table=cli")
    assert "cli" not in datalab("mydb_list")
    (tmp_path / "mine.txt").write_text("by the command")
    datalab("put", "fr=mine.txt", "to=vos://mine.txt")
    datalab("mkdir", "name=vos://cli")
    datalab("cp", "fr=vos://mine.txt", "to=vos://cli")
    datalab("mv", "fr=vos://mine.txt", "to=vos://cli/moved.txt")
    assert datalab("ls", "name=vos://cli").split() == ["mine.txt,moved.txt"]
    assert "14  " in datalab("ls", "name=vos://cli", "format=long").splitlines()[0]
    datalab("get", "fr=vos://cli/moved.txt", "to=back.txt")
    assert (tmp_path / "back.txt").read_text() == "by the command"
    datalab("rm", "name=vos://cli/mine.txt")
    datalab("rmdir", "name=vos://cli")
    assert "cli" not in datalab("ls")
    datalab("logout")
    assert "anonymous" in datalab("whoami")


def test_patterns_of_notebooks(datalab_client: DataLabClient, server: str, platform: Platform) -> None:
    """The rows are those that pandas, numpy and astropy make of the whole table."""
    ada = platform.identity.known("ada")
    platform.tables.copy(TINY_TABLE, "mydb.survey", ada)
    platform.tables.extend("mydb.survey", ada)
    try:
        said = datalab_client.run(
            server,
            """
            import numpy as np
            from astropy import units as u
            from astropy.coordinates import SkyCoord

            ac.login("ada", "correct horse")
            whole = qc.query(sql="select * from mydb://survey", fmt="pandas")
            places = SkyCoord(whole["ra"], whole["dec"], unit="deg")
            away = places.separation(SkyCoord(187.7059, 12.3911, unit="deg")).deg
            mag, ids = whole["mag"], whole["id"]

            def rows(sql):
                return qc.query(sql=sql, fmt="pandas")

            def same(name, sql, wanted):
                found = rows("select id from mydb://survey where " + sql)["id"].tolist()
                say(**{name: sorted(found) == sorted(ids[wanted].tolist()) and 0 < len(found) < len(ids)})

            same("cone", "q3c_radial_query(ra, dec, 187.7059, 12.3911, 0.1) and mag < 24", (away < 0.1) & (mag < 24))
            same("any_case", "Q3C_RADIAL_QUERY(ra, dec, 187.7059, 12.3911, 0.05)", away < 0.05)
            same("annulus", "q3c_radial_query(ra,dec,187.7059,12.3911,0.1) and not q3c_radial_query(ra,dec,187.7059,12.3911,0.05)",
                 (away < 0.1) & (away >= 0.05))
            same("not_nan", "mag != 'NaN'", mag.notna())
            same("nan", "mag = 'NaN'", mag.isna())
            same("bits", "(id & 4) != 0", (ids & 4) != 0)
            same("flag", "flag", whole["flag"] == True)
            same("sample", "random_id between 0.0 and 20.0", whole["random_id"].between(0, 20))
            same("list", "id in (%s)" % ",".join(map(str, range(5, 5000, 7))), ids.isin(range(5, 5000, 7)))
            same("between", "mag between 19 and 20 and log10(mag / 10) > 0.28", mag.between(19, 20) & (np.log10(mag / 10) > 0.28))
            same("cast", "nullif(mag, 'NaN')::int = 20", mag.round() == 20)

            density = rows("select nest4096/(4*4) as pix, avg(ra) as ra, count(*) from mydb://survey group by nest4096/(4*4) order by pix")
            pandas = whole.groupby(whole["nest4096"] // 16).agg(ra=("ra", "mean"), count=("id", "size"))
            say(density=density["pix"].tolist() == pandas.index.tolist() and density["count"].tolist() == pandas["count"].tolist()
                and np.allclose(density["ra"], pandas["ra"]))
            crowded = rows("select s.id from mydb://survey as s join (select ring256, count(*) as n from mydb://survey group by ring256"
                           " having count(*) > 20) as c on s.ring256 = c.ring256")
            counts = whole["ring256"].map(whole["ring256"].value_counts())
            say(aggregate=sorted(crowded["id"]) == sorted(ids[counts > 20]))
            nearest = rows('''select a.id, b.id as other, q3c_dist(a.ra, a.dec, b.ra, b.dec) * 3600 as arcsec from mydb://survey as a
                left join lateral (select s.* from mydb://survey as s where q3c_join(a.ra, a.dec, s.ra, s.dec, 0.02) and s.id <> a.id
                order by q3c_dist(a.ra, a.dec, s.ra, s.dec) asc limit 1) as b on true order by a.id''')
            order = np.argsort(ids.values)
            index, distance, _ = places.match_to_catalog_sky(places, nthneighbor=2)
            close = distance.arcsec[order] < 72
            say(nearest=nearest["other"].notna().tolist() == close.tolist()
                and nearest["other"][close].astype(int).tolist() == ids.values[index[order]][close].tolist()
                and np.allclose(nearest["arcsec"][close], distance.arcsec[order][close]) and 0 < close.sum() < len(close))
            pages = [rows(f"select id from mydb://survey order by id limit 200 offset {n}")["id"].tolist() for n in (0, 200, 400)]
            say(pages=sum(pages, []) == sorted(ids), top=rows("select top 3 id from mydb://survey order by id desc")["id"].tolist() == [500, 499, 498])
            power = rows("select 4.74 * mag / 2 as v, 10^2 as hundred, 7/2 as three, power(2, 3) as eight from mydb://survey where id = 1")
            say(numbers=np.isclose(power["v"][0], 4.74 * mag[ids == 1].iloc[0] / 2) and power.iloc[0, 1:].tolist() == [100, 3, 8])
            sizes = rows("select * from tbl_stat where schema = 'tiny'")
            say(sizes=sizes["tbl_name"].tolist() == ["sources"] and sizes["nrows"].tolist() == [500])
            joined = rows("select t.id from tiny.sources as t, mydb://survey as m where q3c_join(m.ra, m.dec, t.ra, t.dec, 1./36000)")
            say(joined=sorted(joined["id"]) == sorted(ids))
            best = rows("with bright as (select * from mydb://survey where mag < 20) select count(*) from bright")
            say(with_=int(best["count"][0]) == int((mag < 20).sum()))
            """,
        )
    finally:
        platform.tables.drop("mydb.survey", ada)
    assert len(said) == 20
    assert [name for name, right in said.items() if not right] == []
