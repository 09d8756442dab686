"""Files of one's own through the Data Lab's own client (astro-datalab 2.24, unmodified), against a real server."""

import pytest
from tests.systems.datalab import DataLabClient

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
