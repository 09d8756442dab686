"""The Data Lab's own clients of spectra, SPARCL's and ``dl.specClient``, unmodified, compared with the files themselves."""

import textwrap
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from tests.systems.datalab import DataLabClient

from awe.core.science.simulation import simulate_sky, simulated_spectra, spectrum_hdus
from awe.demo import spectra_description
from awe.platform import Platform
from awe.testing import tiny_settings

pytestmark = pytest.mark.slow
Serving = Callable[..., AbstractContextManager[str]]
CLOSED = "curtain"
BEGIN = """
from sparcl.client import SparclClient
import sparcl.exceptions as ex
client = SparclClient(url=B + "/sparcl")
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of the demonstration sky's nine spectra, and another one of some of them."""
    folder = tmp_path_factory.mktemp("files")
    for name in ("open", CLOSED):
        (folder / name).mkdir()
    for spectrum in simulated_spectra(simulate_sky()):
        spectrum_hdus(spectrum).writeto(folder / "open" / f"{spectrum.name}.fits")
        if "red" in spectrum.name:
            spectrum_hdus(spectrum).writeto(folder / CLOSED / f"{CLOSED}_{spectrum.name}.fits")
    return folder


@pytest.fixture(scope="module")
def address(files: Path, serving: Serving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Platform.open(tiny_settings(tmp_path_factory.mktemp("sky"))) as platform:
        platform.accounts.add("ada", by="local:test", password="correct horse")
        for name in ("open", CLOSED):
            described = spectra_description()
            if name == CLOSED:
                described = described.replace("[collection]", '[collection]\nreaders = ["user:ada"]', 1)
            describe = files / f"{name}.toml"
            describe.write_text(described)
            platform.observations.publish(name, files / name, describe=describe)
        with serving(platform) as address:
            yield address


def test_spectra_are_found_by_what_is_known_of_them(
    datalab_client: DataLabClient, address: str, files: Path
) -> None:
    said = datalab_client.run(
        address,
        BEGIN
        + textwrap.dedent("""
        say(version=client.version, sets=sorted(client.all_datasets), default=client.get_default_fields(), all=client.get_all_fields())
        outs = ["sparcl_id", "specid", "ra", "dec", "redshift", "spectype", "dateobs", "wavemin", "wavemax", "data_release"]
        found = client.find(outfields=outs, constraints={"spectype": ["globular cluster"], "redshift": [0.0, 0.1]}, sort="-redshift")
        say(records=[dict(one) for one in found.records], count=found.count, info=found.info["status"]["info"], unit=found.unit_for("wavemin"))
        say(two=len(client.find(limit=2).ids), ids=client.find().ids, number=client.find(countOnly=True), none=client.find(constraints={"redshift": [3, 4]}).count)
        say(pandas=len(client.find(["specid", "ra"], fmt="pandas")), bare=client.find(["ra"], units=False).unit_for("ra"))
        first = found.records[0]
        say(by_id=[one.specid for one in client.find(["specid"], constraints={"sparcl_id": [first.sparcl_id]}).records])
        say(when=client.find(constraints={"dateobs": ["2012-01-01", "2012-01-02T00:00:00Z"]}).count, never=client.find(constraints={"dateobs": ["1990-01-01", "1991-01-01"]}).count)
        say(around=client.find(constraints={"ra": [187.6, 187.8], "wavemin": [3000, 4000], "exptime": [3600, 3600]}).count)
        say(unknown=error(client.find, constraints={"nix": [1]}), field=error(client.find, ["nix"]), text=error(client.find, constraints={"redshift": ["a", "b"]}))
        say(order=error(client.find, constraints={"redshift": [2, 1]}), sort=error(client.find, sort="nix"), quoted=client.find(constraints={"spectype": ["x' OR '1'='1"]}).count)
        say(missing=client.missing([first.sparcl_id, "ivo://x/y?z"]), specids=client.missing_specids([first.specid, 1]), all_there=client.missing(found.ids))
        say(closed=client.find(constraints={"data_release": ["curtain"]}).count)
        """),
    )
    headers = {file.stem: fits.getheader(file) for file in (files / "open").iterdir()}
    clusters = sorted(
        (one for one in headers.values() if one["OBJCLASS"] == "globular cluster"),
        key=lambda one: -one["REDSHIFT"],
    )
    assert said["version"] == 14.2
    assert said["sets"] == ["open"]
    assert said["default"] == ["dec", "flux", "ra", "sparcl_id", "specid", "wavelength"]
    assert {"ivar", "mask", "redshift"} <= set(said["all"])
    assert [one["specid"] for one in said["records"]] == [one["SPECID"] for one in clusters]
    for one, header in zip(said["records"], clusters, strict=True):
        assert (one["ra"], one["dec"], one["redshift"]) == (
            header["RA_TARG"],
            header["DEC_TARG"],
            header["REDSHIFT"],
        )
        assert (one["spectype"], one["_dr"], one["data_release"]) == ("globular cluster", "open", "open")
        assert one["dateobs"].startswith("2012-01-01T07:12")
        assert (round(one["wavemin"], 6), round(one["wavemax"], 6)) == (3600.0, 9198.0)
    assert said["count"] == len(clusters) == 6
    assert said["info"] == ["Successfully found 6 records in dr=open"]
    assert (said["unit"], said["bare"]) == ("Angstrom", None)
    assert (said["two"], said["number"], said["none"], said["pandas"]) == (2, "Found 9 records", 0, 9)
    assert said["by_id"] == [clusters[0]["SPECID"]]
    assert (said["when"], said["never"], said["around"]) == (9, 0, 9)
    assert "[UNKFIELD]" in said["unknown"]
    assert "[UNKFIELD]" in said["field"]
    assert "is no number" in said["text"]
    assert "the smaller value comes first" in said["order"]
    assert "there is no field nix" in said["sort"]
    assert (said["quoted"], said["closed"]) == (0, 0)
    assert said["missing"] == ["ivo://x/y?z"]
    assert (said["specids"], said["all_there"]) == ([1], [])
    assert not any(CLOSED in one for one in said["ids"])


def test_spectra_come_as_they_are_in_their_files(
    datalab_client: DataLabClient, address: str, files: Path
) -> None:
    said = datalab_client.run(
        address,
        BEGIN
        + textwrap.dedent("""
        import warnings, numpy
        ids = client.find().ids
        found = client.retrieve(ids)
        say(fields=sorted(found.records[0].keys()), kind=type(found.records[0].flux).__name__, count=found.count)
        some = client.retrieve(ids[:2], include=["sparcl_id", "specid", "file", "redshift", "flux", "wavelength", "ivar", "mask"])
        for number, one in enumerate(some.records):
            numpy.savez(f"{number}.npz", wavelength=one.wavelength, flux=one.flux, ivar=one.ivar, mask=one.mask)
        say(files=[one.file for one in some.records], units=[some.unit_for(name) for name in ("flux", "wavelength", "ivar", "mask")])
        turned = found.reorder(list(reversed(ids)))
        say(turned=[one.sparcl_id for one in turned.records] == list(reversed(ids)))
        numbers = [one.specid for one in found.records][:3]
        by = client.retrieve_by_specid(numbers, include=["specid", "flux"])
        say(numbers=numbers, by=sorted(one.specid for one in by.records), again=[one.specid for one in by.reorder(numbers).records])
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            gone = client.retrieve([ids[0], "ivo://tiny.test/curtain?curtain_m87_cluster_red_1", "nix"])
        say(left=gone.count, warned=[str(one.message) for one in warned if "identifiers" in str(one.message)])
        say(only=client.retrieve(ids, countOnly=True), include=error(client.retrieve, ids, include=["model"]), set=error(client.retrieve, ids, dataset_list=["curtain"]))
        say(specutils=client.retrieve(ids, fmt="specutils").flux.shape, pandas=len(client.retrieve(ids, fmt="pandas")), meta=client.retrieve(ids, include=["ra", "dec"]).count)
        say(stack=float(numpy.median([one.flux for one in found.records])))
        """),
        home := datalab_client.folder(),
    )
    assert said["fields"] == ["_dr", "dec", "flux", "ra", "sparcl_id", "specid", "wavelength"]
    assert (said["kind"], said["count"], said["turned"]) == ("ndarray", 9, True)
    assert len(said["files"]) == 2
    for number, name in enumerate(said["files"]):
        told, held = np.load(home / f"{number}.npz"), fits.getdata(files / "open" / name)
        assert np.array_equal(told["wavelength"], held["WAVELENGTH"])
        assert np.array_equal(told["flux"], held["FLUX"])
        assert np.allclose(told["ivar"], held["ERROR"].astype(float) ** -2, rtol=1e-12)
        assert not told["mask"].any()
    assert said["units"] == ["erg / (Angstrom s cm2)", "Angstrom", "1 / (erg / (Angstrom s cm2))2", None]
    assert said["by"] == sorted(said["numbers"])
    assert said["again"] == said["numbers"]
    assert said["left"] == 1
    assert said["warned"] == [
        "There are 2 out of the 3 identifiers without a spectrum here; missing() names the 2 of them"
    ]
    assert (said["only"], said["pandas"], said["meta"]) == ("Found 9 records", 9, 9)
    assert said["specutils"] == [9, 2800]
    assert "BADINCL" in said["include"]
    assert CLOSED in said["set"]
    all_ = np.array([fits.getdata(file)["FLUX"] for file in (files / "open").iterdir()])
    assert said["stack"] == float(np.median(all_.astype(float)))


def test_logins(datalab_client: DataLabClient, address: str) -> None:
    said = datalab_client.run(
        address,
        BEGIN
        + textwrap.dedent("""
        say(nobody=client.authorized["Loggedin_As"], wrong=client.login("ada", "wrong"))
        say(right=client.login("ada", "correct horse"), somebody=client.authorized["Loggedin_As"], sets=sorted(client.authorized["Authorized_Datasets"]))
        say(count=client.find().count, flux=len(client.retrieve(client.find().ids).records))
        say(expired=client.token_expired(), closed=client.find(constraints={"data_release": ["curtain"]}).count)
        client.logout()
        say(after=client.authorized["Loggedin_As"])
        """),
    )
    assert said["wrong"].startswith("Could not login")
    assert (said["nobody"], said["right"], said["somebody"], said["after"]) == (
        "Anonymous",
        None,
        "ada",
        "Anonymous",
    )
    assert (said["sets"], said["count"], said["flux"], said["closed"]) == (["open"], 9, 9, 0)
    assert said["expired"] is False


SPEC = """
import pycurl_requests
ask, pycurl_requests.get = pycurl_requests.get, lambda *_, **__: type("Answer", (), {"content": b"{}"})()
from dl import specClient as spec  # which asks a server in the network when it is imported
pycurl_requests.get = ask
spec.set_svc_url(B + "/spec")
"""


def test_the_older_client(datalab_client: DataLabClient, address: str, files: Path) -> None:
    said = datalab_client.run(
        address,
        SPEC
        + textwrap.dedent("""
        import numpy
        say(alive=spec.sp_client.isAlive(B + "/spec"), context=spec.get_context(), contexts=spec.list_contexts(), one=spec.list_contexts("open"))
        say(set=spec.set_context("open"), wrong=error(spec.set_context, "curtain"), profile=spec.set_profile("default"), catalogs=spec.catalogs())
        ids = spec.query(187.7059, 12.3911, 0.1)
        say(ids=sorted(ids.tolist()), some=spec.query(constraint="redshift > 0.004 order by specid").tolist(), few=len(spec.query(constraint="limit 3")))
        say(named=spec.query(187.7059, 12.3911, 0.1, constraint="target_class = 'AGN'", fields="specid,redshift")["redshift"].tolist())
        one = spec.getSpec(int(ids[0]))
        numpy.save("one.npy", one)
        say(first=int(ids[0]), columns=list(one.dtype.names), frame=len(spec.getSpec(int(ids[0]), fmt="pandas")), table=spec.getSpec(int(ids[0]), fmt="tables").colnames)
        say(piece=len(spec.getSpec(int(ids[0]), cutout="4000-4100")), values=list(spec.getSpec(int(ids[0]), values="loglam,flux").dtype.names))
        many = spec.getSpec(ids.tolist(), align=True)
        say(shape=many.shape, same=bool((many[0]["flux"] == one["flux"]).all()), spectrum=spec.getSpec(int(ids[0]), fmt="Spectrum1D").flux.shape)
        open("one.fits", "wb").write(spec.getSpec(int(ids[0]), fmt="fits"))
        say(size=spec.preview(int(ids[0])).size, none=error(spec.getSpec, 12345), grid=error(spec.plotGrid, ids, 2, 2))
        import requests as r
        say(refused=[r.post(f"{B}/spec/getSpec", data=data).text for data in ({"id_list": "[1]"}, {"id_list": "(266, 51602, 13)x"}, {"id_list": str(list(ids)), "values": "nix"})])
        say(closed=r.post(f"{B}/spec/getSpec", data={"id_list": str(int(ids[0])), "context": "curtain"}).text, hidden=r.get(f"{B}/spec/contexts?context=None").text)
        token = ac.login("ada", "correct horse")
        open_ = r.get(f"{B}/spec/contexts?context=None", headers={"X-DL-AuthToken": token}).text
        say(mine=open_, plot=r.post(f"{B}/spec/plotGrid").text)
        """),
        home := datalab_client.folder(),
    )
    headers = {file: fits.getheader(file) for file in (files / "open").iterdir()}
    numbers = sorted(header["SPECID"] for header in headers.values())
    assert said["alive"] is True
    assert (said["set"], said["profile"], said["catalogs"]) == ("OK", "OK", "spectra")
    assert said["contexts"].split() == ["default", "open"]
    assert said["one"]["id_main"] == "specid"
    assert 'Invalid context "curtain"' in said["wrong"]
    assert said["ids"] == numbers
    fast = sorted(header["SPECID"] for header in headers.values() if header["REDSHIFT"] > 0.004)
    assert (said["some"], said["few"]) == (fast, 3)
    assert said["named"] == [next(h["REDSHIFT"] for h in headers.values() if h["OBJCLASS"] == "AGN")]
    file = next(file for file, header in headers.items() if header["SPECID"] == said["first"])
    held, told = fits.getdata(file), np.load(home / "one.npy")
    assert np.allclose(10 ** told["loglam"], held["WAVELENGTH"], rtol=1e-14)
    assert np.allclose(told["flux"], held["FLUX"].astype(float) * 1e17, rtol=1e-12)
    assert np.allclose(told["ivar"], (held["ERROR"].astype(float) * 1e17) ** -2, rtol=1e-12)
    assert said["columns"] == said["table"] == ["loglam", "flux", "ivar", "mask", "model", "sky"]
    assert np.allclose(fits.getdata(home / "one.fits")["flux"], told["flux"], rtol=1e-15)
    assert (said["frame"], said["piece"], said["values"]) == (2800, 51, ["loglam", "flux"])
    assert (said["shape"], said["same"], said["spectrum"]) == ([9, 2800], True, [2800])
    assert said["size"][0] > 100
    assert "there is no spectrum 1 " in said["refused"][0]
    assert "is no specid" in said["refused"][1]
    assert "is no column" in said["refused"][2]
    assert "there is no context curtain" in said["closed"]
    assert CLOSED not in said["hidden"]
    assert CLOSED in said["mine"]
    assert "plotGrid is not offered" in said["plot"]
