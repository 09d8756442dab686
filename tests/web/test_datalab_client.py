"""The Data Lab's own client (astro-datalab 2.24, unmodified) against a real server."""

import json

import pytest
from tests.systems.datalab import DataLabClient

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
