"""Files of one's own through the Data Lab's own client (astro-datalab 2.24, unmodified), against a real server."""

import pytest
from tests.systems.datalab import DataLabClient

from awe.platform import Platform
from awe.services.space import NodePath

pytestmark = pytest.mark.slow
ABSENT = "A Node does not exist with the requested URI."
THERE = "A Node already exists with the requested URI."


def test_files(datalab_client: DataLabClient, server: str) -> None:
    said = datalab_client.run(
        server,
        """
        import os
        say(nobody=sc.ls("vos://"), nobody_puts=error(sc.put, "script.py", "vos://x"))
        ac.login("ada", "correct horse")
        say(empty=sorted(sc.ls().split(",")), alive=sc.isAlive(B + "/storage"))
        data = os.urandom(3_000_000)
        open("a.bin", "wb").write(data), open("b c.txt", "w").write("two words"), open("zero", "w").close()
        say(put=sc.put("a.bin", "vos://a.bin"), again=sc.put("a.bin", "a.bin", verbose=False), blank=sc.put("b c.txt", "vos://tmp/"))
        say(zero=sc.put("zero", "vos://zero"), saved=sc.saveAs("1,2,3", "vos://saved.csv"))
        say(into=sc.put("a.bin", "vos://public"), absent_folder=sc.put("a.bin", "vos://nix/a.bin"))
        say(listed=sc.ls("vos://"), slash=sc.ls("vos://tmp/"), file=sc.ls("a.bin"), like=sc.ls("vos://*.bin"), long=sc.ls("vos://", format="long"))
        say(got=sc.get("vos://a.bin", "back.bin", verbose=False), same=open("back.bin", "rb").read() == data)
        say(text=sc.get("vos://tmp/b c.txt"), binary=sc.get("a.bin", mode="binary") == data, fileobj=sc.get("vos://saved.csv", mode="fileobj").read().decode())
        say(none=sc.get("vos://nix", "x"), none_text=sc.get("vos://nix"), empty_file=sc.get("vos://zero", "z"), size=os.stat("z").st_size)
        say(mkdir=sc.mkdir("vos://dir"), twice=sc.mkdir("vos://dir"), deep=sc.mkdir("vos://no/such"), inner=sc.mkdir("vos://dir/inner/"))
        say(cp=sc.cp("vos://a.bin", "vos://dir"), cp_named=sc.cp("a.bin", "dir/c.bin"), cp_taken=sc.cp("a.bin", "dir/c.bin"), globbed=sc.cp("vos://*.csv", "vos://dir/inner"))
        say(mv=sc.mv("vos://dir/c.bin", "vos://dir/inner/d.bin"), mv_dir=sc.mv("vos://dir/inner", "vos://moved"), itself=sc.mv("vos://moved", "vos://moved/x"))
        say(tree=[sc.ls("vos://" + name) for name in ("", "dir", "moved")], cp_dir=sc.cp("vos://moved", "vos://copied"), copied=sc.ls("vos://copied"))
        say(stat=sc.stat("vos://a.bin"), folder=sc.stat("vos://dir"), nothing=sc.stat("vos://nix"))
        say(access=[sc.access("vos://a.bin"), sc.access("a.bin", "r"), sc.access("a.bin", "w"), sc.access("a.bin", "rw"), sc.access("nix"), sc.access("nix", "w")])
        os.mkdir("many")
        for n in range(3): open(f"many/{n}.dat", "w").write(str(n))
        say(put_many=sc.put("many/*", "vos://dir", verbose=False), got_many=sc.get("vos://dir/*.dat", "many", verbose=False))
        say(put_folder=sc.put("many/", "vos://new", verbose=False), new=sc.ls("vos://new"))
        say(rm=sc.rm("vos://a.bin"), gone=sc.rm("vos://a.bin"), folder_rm=sc.rm("vos://dir"), fixed=[sc.rm("vos://public"), sc.rmdir("vos://tmp"), sc.rmdir("vos://tmp/")], globs=sc.rm("vos://dir/*.dat"))
        say(rmdir=[sc.rmdir("vos://" + name) for name in ("dir", "moved", "copied", "new/")], no_dir=sc.rmdir("vos://saved.csv"), none_dir=sc.rmdir("vos://nix"))
        say(ln=sc.ln("vos://saved.csv", "vos://l"), tag=sc.tag("vos://saved.csv", "word"), profiles=sc.list_profiles(), left=sc.ls())
        say(public=sc.get("ada://public/a.bin", mode="binary") == data, of_public=sc.ls("ada://public"))
        say(cleaned=[sc.rm(name) for name in ("public/a.bin", "zero", "saved.csv", "tmp/b c.txt")])
        """,
    )
    assert said["nobody"].startswith("Error 401")
    assert "need an account" in str(said["nobody_puts"]) or "logged in" in str(said["nobody_puts"])
    assert said["empty"] == ["public", "tmp"]
    for name in ("put", "again", "blank", "zero", "saved", "into"):
        assert said[name] == ["OK"], name
    assert said["absent_folder"][0].startswith("A Container does not exist")
    assert said["listed"] == "a.bin,public,saved.csv,tmp,zero"
    assert (said["slash"], said["file"], said["like"]) == ("b c.txt", "a.bin", "a.bin")
    long = said["long"].splitlines()
    assert long[0].startswith("-rw-------  ada  3000000  ")
    assert long[0].endswith("  a.bin")
    assert long[1].startswith("drwxr-xr-x  ada        0")
    assert long[1].endswith("  public/")
    assert said["got"] == said["empty_file"] == ["OK"]
    assert [said[name] for name in ("same", "binary", "alive", "public")] == [True] * 4
    assert (said["text"], said["fileobj"], said["size"]) == ("two words", "1,2,3", 0)
    assert said["none"][0].startswith(ABSENT)
    assert said["none_text"].startswith(ABSENT)
    assert (said["mkdir"], said["inner"], said["cp"], said["cp_named"], said["mv"]) == ("OK",) * 5
    assert said["twice"].startswith(THERE)
    assert said["cp_taken"].startswith(THERE)
    assert said["itself"].startswith(THERE)
    assert said["deep"].startswith("A Container does not exist")
    assert (said["globbed"], said["mv_dir"], said["cp_dir"]) == (["OK"], "OK", "OK")
    assert said["tree"] == ["a.bin,dir,moved,public,saved.csv,tmp,zero", "a.bin", "d.bin,saved.csv"]
    assert said["copied"] == "d.bin,saved.csv"
    stat = said["stat"]
    assert (stat["name"], stat["owner"], stat["size"], stat["type"]) == ("a.bin", "ada", 3_000_000, "data")
    assert (said["folder"]["type"], said["nothing"]) == ("container", {})
    assert said["access"] == [True, True, True, True, False, False]
    assert said["put_many"] == said["got_many"] == ["OK"] * 3
    assert said["new"] == "0.dat,1.dat,2.dat"
    assert (said["rm"], said["globs"], said["rmdir"]) == ("OK", ["OK"] * 3, ["OK"] * 4)
    assert said["gone"].startswith(ABSENT)
    assert "is a directory" in said["folder_rm"]
    assert said["fixed"][:2] == ["Error: operation not permitted"] * 2
    assert "always there" in said["fixed"][2]
    assert "is not a directory" in said["no_dir"]
    assert said["none_dir"].startswith(ABSENT)
    assert "not offered" in said["ln"]
    assert "not offered" in said["tag"]
    assert said["left"] == "public,saved.csv,tmp,zero"
    assert said["of_public"] == "a.bin"
    assert said["cleaned"] == ["OK"] * 4


def test_results_become_files_and_files_tables(datalab_client: DataLabClient, server: str) -> None:
    said = datalab_client.run(
        server,
        """
        import pandas
        from io import BytesIO, StringIO
        from astropy.io import fits
        ac.login("ada", "correct horse")
        q = "select id, ra, dec, mag, flag from tiny.sources order by id limit 50"
        rows = qc.query(sql=q)
        say(made=qc.query(sql=q, out="vos://result.csv"), listed="result.csv" in sc.ls(), same=sc.get("vos://result.csv") == rows)
        say(taken=error(qc.query, sql=q, out="vos://result.csv"), absent=error(qc.query, sql=q, out="vos://nix/r.csv"))
        say(wrong=error(qc.query, sql="select nix from tiny.sources", out="vos://wrong.csv"), not_there=sc.stat("vos://wrong.csv"))
        say(fits=qc.query(sql=q, fmt="fits", out="vos://public/r.fits"), votable=qc.query(sql=q, fmt="votable", out="vos://tmp/r.vot"))
        say(ids=fits.open(sc.get("ada://public/r.fits", mode="fileobj"))[1].data["id"].tolist())
        job = qc.query(sql=q, out="vos://later.csv", async_=True)
        say(wait=qc.wait(job, wait=0.1), results=qc.results(job), later=sc.get("vos://later.csv") == rows)
        say(waited=qc.query(sql=q, fmt="hdf5", out="vos://tmp/r.h5", async_=True, wait=True), h5=sc.get("vos://tmp/r.h5", mode="binary")[1:4].decode())
        say(again=error(qc.query, sql=q, out="vos://later.csv", async_=True))
        say(imported=[qc.mydb_import("one", "vos://result.csv"), qc.mydb_import("two", "vos://public/r.fits"), qc.mydb_import("three", "vos://tmp/r.vot")])
        for name in ("one", "two", "three"):
            say(**{name: qc.query(sql=f"select * from mydb://{name} order by id", fmt="pandas")["ra"].tolist() == pandas.read_csv(StringIO(rows))["ra"].tolist()})
        say(none=qc.mydb_import("five", "vos://nix.csv"), theirs=qc.mydb_import("five", "vos://../eve/x.csv"))
        say(dropped=[qc.mydb_drop(name) for name in ("one", "two", "three")])
        say(removed=[sc.rm(name) for name in ("result.csv", "later.csv", "public/r.fits", "vos://tmp/*")], left=sc.ls(), tmp=sc.ls("vos://tmp"))
        """,
    )
    for name in ("made", "fits", "votable"):
        assert said[name] == "OK", name
    for name in ("listed", "same", "later", "one", "two", "three"):
        assert said[name] is True, name
    assert "is there already" in said["taken"]
    assert said["taken"].startswith("Error: ")
    assert "there is no ada/nix" in said["absent"]
    assert "nix" in said["wrong"]
    assert said["not_there"] == {}
    assert said["ids"] == list(range(1, 51))
    assert (said["wait"], said["results"], said["waited"], said["h5"]) == ("COMPLETED", "OK", "OK", "HDF")
    assert "is there already" in said["again"]
    assert said["imported"] == ["OK"] * 3
    assert "there is no ada/nix.csv" in said["none"]
    assert "no file can be called so" in said["theirs"]
    assert said["dropped"] == ["OK"] * 3
    assert said["removed"] == ["OK", "OK", "OK", ["OK", "OK"]]
    assert (said["left"], said["tmp"]) == ("public,tmp", "")


def test_published_files_and_links(datalab_client: DataLabClient, server: str) -> None:
    said = datalab_client.run(
        server,
        """
        from astropy.io import fits
        from urllib.parse import urlencode
        say(listed=sc.ls("tiny://"), like=sc.ls("tiny://*f606w*"), long=sc.ls("tiny://", format="long"), stat=sc.stat("tiny://tiny_acs_f606w_drz.fits"))
        image = fits.open(sc.get("tiny://tiny_acs_f606w_drz.fits", mode="fileobj"))
        say(shape=image[0].data.shape, filter=image[0].header["FILTER"], got=sc.get("tiny://*.fits", ".", verbose=False))
        say(access=[sc.access("tiny://tiny_acs_f606w_drz.fits", "r"), sc.access("tiny://tiny_acs_f606w_drz.fits", "w"), sc.access("tiny://nix")])
        say(none=sc.get("tiny://nix.fits", "x"), out=sc.get("tiny://../sources.toml", "x"), no_collection=sc.ls("nix://"), services=sc.services())
        ac.login("ada", "correct horse")
        say(changed=[sc.rm("tiny://tiny_acs_f606w_drz.fits"), sc.put("script.py", "tiny://x.py")[0], sc.mkdir("tiny://x"), sc.mv("tiny://tiny_acs_f606w_drz.fits", "vos://x")])
        say(copied=sc.cp("tiny://tiny_acs_f606w_drz.fits", "vos://tmp"), copy=fits.open(sc.get("vos://tmp/tiny_acs_f606w_drz.fits", mode="fileobj"))[0].data.shape)
        cutout = f"{B}/svc/cutout?" + urlencode({"col": "tiny", "siaRef": "tiny_acs_f606w", "POS": "187.7059,12.3911", "SIZE": "0.001,0.001"})
        say(loaded=sc.load("vos://cutout.fits", cutout), small=fits.open(sc.get("vos://cutout.fits", mode="fileobj"))[0].data.shape)
        whole = B.removesuffix("/datalab") + "/api/datasets/tiny_acs_f606w/file"
        say(pulled=sc.pull("tmp/whole.fits", whole), of_vos=sc.load("tmp/again.fits", "vos://cutout.fits"), size=sc.stat("vos://tmp/again.fits")["size"] == sc.stat("vos://cutout.fits")["size"])
        port = B.split(":")[2].split("/")[0]
        say(refused=[sc.load("vos://x", url) for url in (f"http://localhost:{port}/api/archive", "http://169.254.169.254/latest", "http://10.0.0.1/", "file:///etc/passwd", "ftp://x/y", B + "/storage/ls", B.removesuffix("/datalab") + "/account")])
        say(left=sc.ls(), cleaned=[sc.rm("vos://tmp/*"), sc.rm("cutout.fits")])
        """,
    )
    names = "tiny_acs_f606w_drz.fits,tiny_acs_f814w_drz.fits"
    assert (said["listed"], said["like"]) == (names, "tiny_acs_f606w_drz.fits")
    assert said["long"].splitlines()[0].startswith("-r--r--r--  tiny  ")
    assert (said["stat"]["type"], said["stat"]["publicread"]) == ("data", True)
    assert (said["shape"], said["filter"], said["got"]) == ([48, 64], "F606W", ["OK", "OK"])
    assert said["access"] == [True, False, False]
    assert said["none"][0].startswith(ABSENT)
    assert "no file can be called so" in said["out"][0]
    assert said["no_collection"].startswith("Error 404")
    assert "tiny" in said["services"]
    assert all("published: it can be read, and not changed" in text for text in said["changed"])
    assert (said["copied"], said["copy"]) == ("OK", [48, 64])
    assert (said["loaded"], said["pulled"], said["of_vos"], said["size"]) == ("OK", "OK", "OK", True)
    assert 1 < said["small"][0] < 48
    assert all(not text.startswith("OK") for text in said["refused"])
    assert "not a host of the public network" in said["refused"][1]
    assert "is no image of this archive" in said["refused"][5]
    assert said["left"] == "cutout.fits,public,tmp"
    assert said["cleaned"] == [["OK"] * 3, "OK"]


def test_nobody_reaches_another_s_files(
    datalab_client: DataLabClient, server: str, platform: Platform
) -> None:
    platform.accounts.add("mallet", by="local:test", password="battery staple")
    said = datalab_client.run(
        server,
        """
        token = ac.login("ada", "correct horse")
        open("closed.csv", "w").write("id,word\\n1,curtain\\n")
        say(put=[sc.put("closed.csv", "vos://"), sc.put("closed.csv", "vos://public/open.csv")], made=sc.mkdir("vos://dir"))
        ac.logout(token)
        token = ac.login("mallet", "battery staple")
        doors = {}
        for name in ("ada://closed.csv", "ada://dir", "ada://", "ada://public/../closed.csv", "vos://../ada/closed.csv", "vos://..//ada/closed.csv",
                     "ada://./closed.csv", "ada%2Fclosed.csv", "vos://%2e%2e/ada/closed.csv", "ada://public/%2e%2e/closed.csv", "vos:////ada/closed.csv", "Ada://closed.csv"):
            doors[name] = [str(answer) for answer in (
                sc.ls(name), sc.stat(name), error(sc.get, name), error(sc.get, name, "x", verbose=False), sc.access(name), sc.rm(name), sc.rmdir(name), sc.cp(name, "vos://mine"),
                sc.mv(name, "vos://mine"), sc.load("vos://mine", name), qc.mydb_import("mine", name), sc.put("script.py", name, verbose=False), sc.saveAs("x", name),
                sc.mkdir(name), error(qc.query, sql="select 1 as a", out=name) if "://" in name and "%" not in name else "")]
        say(doors=doors, listed=sc.ls("ada://public"), opened=sc.get("ada://public/open.csv"), mine=sc.ls(), pattern=[sc.ls("ada://*"), sc.ls("ada://*/*"), sc.ls("*://closed.csv")])
        say(changed=[sc.rm("ada://public/open.csv"), sc.put("script.py", "ada://public/open.csv")[0], sc.mv("ada://public/open.csv", "vos://x"), sc.mkdir("ada://public/x")])
        say(cleaned=[sc.rm("vos://" + name) for name in sc.ls().split(",") if name not in ("public", "tmp", "ada")])
        """,
    )
    assert said["put"] == [["OK"], ["OK"]]
    assert "curtain" not in str(said["doors"])
    assert "curtain" in said["opened"]
    assert said["listed"] == "open.csv"
    assert not any("closed" in text or "dir" in text.split(",") for text in said["pattern"][:2]) or all(
        text.startswith("Error 404") for text in said["pattern"][:2]
    )
    assert all("only ada" in text for text in said["changed"])
    ada = platform.identity.known("ada")
    assert [node.path.name for node in platform.space.nodes(NodePath("ada"), ada)] == [
        "closed.csv",
        "dir",
        "public",
        "tmp",
    ]
    for name in ("closed.csv", "dir", "public/open.csv"):
        platform.space.remove(NodePath.of("ada", name), ada)


def test_who_has_no_room_is_told(datalab_client: DataLabClient, server: str, platform: Platform) -> None:
    limit = platform.quotas.set("user:ada", "storage_bytes", 1_000_000, by="root")
    try:
        said = datalab_client.run(
            server,
            """
            ac.login("ada", "correct horse")
            open("large", "wb").write(b"x" * 2_000_000), open("small", "wb").write(b"x" * 900_000)
            say(large=sc.put("large", "vos://large", verbose=False), small=sc.put("small", "vos://small", verbose=False))
            say(again=sc.put("small", "vos://other", verbose=False), listed=sc.ls(), cp=sc.cp("vos://small", "vos://copy"))
            say(out=error(qc.query, sql="select a.* from tiny.sources a, tiny.sources b limit 5000", out="vos://rows.csv"))
            say(rm=sc.rm("vos://small"), fits=sc.put("small", "vos://other", verbose=False), cleaned=sc.rm("other"))
            """,
        )
    finally:
        platform.quotas.drop(limit.id, by="root")
    for name in ("large", "again"):
        assert "you-may-have-1,000,000-bytes-of-files-kept" in str(said[name]).replace(" ", "-"), name
    for name in ("cp", "out"):
        assert "you may have 1,000,000 bytes of files kept" in said[name]
    assert said["listed"] == "public,small,tmp"
    assert (said["small"], said["rm"], said["fits"], said["cleaned"]) == (["OK"], "OK", ["OK"], "OK")
