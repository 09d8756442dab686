import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from tests.services.observations.conftest import Archive, open_archive, write_image

from awe.core.science.cutout import Wanted
from awe.core.sky import Circle
from awe.errors import InputFileError, LimitError, NotFoundError, ParameterError
from awe.services.identity import GrantStore, Policy
from awe.services.observations import Copies, Criteria, ObservationService, Storage


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    folder = tmp_path_factory.mktemp("service") / "images"
    write_image(folder, "hst_9401_02_acs_wfc_total_drz.fits", shape=(200, 300), FILTER="V")
    write_image(folder, "j94f05bgq_drz.fits")
    write_image(folder, "j94f05bgq_flt.fits", 10.0, 10.0)
    write_image(folder, "k_flt.fits")
    write_image(folder, "k_raw.fits")
    archive, close = open_archive(folder.parent / "archive")
    archive.observations.publish("hla", folder)
    yield archive
    close()


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("hst_9401_02_acs_wfc_total", "hst_9401_02_acs_wfc_total_drz.fits"),
        ("HST_9401_02_ACS_WFC_TOTAL", "hst_9401_02_acs_wfc_total_drz.fits"),
        ("ivo://example.awe/hla?hst_9401_02_acs_wfc_total", "hst_9401_02_acs_wfc_total_drz.fits"),
        ("IVO://Example.awe/HLA?HST_9401_02_acs_wfc_total", "hst_9401_02_acs_wfc_total_drz.fits"),
        ("j94f05bgq", "j94f05bgq_drz.fits"),
        ("ivo://example.awe/hla?j94f05bgq#flt", "j94f05bgq_flt.fits"),
    ],
)
def test_a_dataset_is_called_by_its_name_or_identifier(published: Archive, name: str, file: str) -> None:
    dataset = published.observations.dataset(name)
    assert dataset.path.name == file
    assert published.observations.file(name) == dataset.path


def test_an_unknown_name_gets_a_suggestion(published: Archive) -> None:
    with pytest.raises(NotFoundError, match="did you mean hst_9401_02_acs_wfc_total"):
        published.observations.dataset("hst_9401_02_acs_wfc_totl")
    with pytest.raises(NotFoundError, match="zzz"):
        published.observations.dataset("zzz")
    with pytest.raises(NotFoundError, match="100%"):
        published.observations.dataset("100%_'\"")


def test_a_name_of_several_datasets_is_refused(published: Archive) -> None:
    with pytest.raises(ParameterError, match="k#flt"):
        published.observations.dataset("k")


def test_a_cutout_is_a_fits_file(published: Archive) -> None:
    cutout = published.observations.cutout(
        "hst_9401_02_acs_wfc_total", Wanted(region=Circle(187.7, 12.39, 20 / 3600))
    )
    assert cutout is not None
    assert cutout.filename == "hst_9401_02_acs_wfc_total_cutout.fits"
    with fits.open(io.BytesIO(b"".join(cutout.write()))) as hdus:
        whole = fits.getdata(published.observations.file("hst_9401_02_acs_wfc_total"))
        np.testing.assert_array_equal(hdus[0].data, whole[80:120, 130:170])


def test_nothing_in_region_or_band_is_none(published: Archive) -> None:
    service = published.observations
    name = "hst_9401_02_acs_wfc_total"
    assert service.cutout(name, Wanted(region=Circle(10.0, 10.0, 0.1))) is None
    assert service.preview(name, region=Circle(10.0, 10.0, 0.1)) is None
    assert service.cutout(name, Wanted(band=(1e-6, 2e-6))) is None
    assert service.cutout(name, Wanted(band=(5e-7, 6e-7))) is not None
    with pytest.raises(ParameterError, match="BAND"):
        service.cutout("j94f05bgq", Wanted(band=(5e-7, 6e-7)))


def test_the_operators_limit_holds(published: Archive, tmp_path: Path) -> None:
    small = ObservationService(
        published.system,
        published.catalogs,
        folder=tmp_path,
        authority="x",
        max_pixels=1000,
        max_rows=10,
        policy=Policy(GrantStore(published.system)),
        copies=Copies(tmp_path / "tiles", made=True),
        storage=Storage(),
    )
    with pytest.raises(LimitError, match="1,000"):
        small.cutout("hst_9401_02_acs_wfc_total")


def test_a_file_that_vanished_or_broke_is_said_plainly(archive: Archive, tmp_path: Path) -> None:
    service = archive.observations
    path = write_image(tmp_path / "images", "m87.fits", shape=(200, 300))
    service.publish("c", tmp_path / "images")
    path.write_bytes(path.read_bytes()[:5000])
    for broken in (service.cutout, service.preview):
        with pytest.raises(InputFileError, match=r"cannot be read|end early"):
            broken("m87")
    path.write_bytes(b"rubbish")
    with pytest.raises(InputFileError, match="not a FITS file"):
        service.cutout("m87")
    path.unlink()
    for call in (service.cutout, service.preview, service.file):
        with pytest.raises(NotFoundError, match="not there any more") as caught:
            call("m87")
        assert str(path.parent) not in str(caught.value)


@pytest.mark.slow
def test_many_at_once_get_what_one_gets(published: Archive) -> None:
    service = published.observations

    def work(number: int) -> tuple[bytes, bytes | None, int]:
        region = Circle(187.7 + number % 5 / 200, 12.39, 20 / 3600)
        cutout = service.cutout("hst_9401_02_acs_wfc_total", Wanted(region=region))
        assert cutout is not None
        picture = service.preview("hst_9401_02_acs_wfc_total", region=region)
        return (
            b"".join(cutout.write()),
            picture,
            service.find(Criteria(regions=(region,))).to_table().num_rows,
        )

    alone = [work(number) for number in range(5)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(work, range(40)))
    assert all(found == alone[number % 5] for number, found in enumerate(together))


def test_one_band_of_a_file_with_several(archive: Archive, tmp_path: Path) -> None:
    single = fits.open(write_image(tmp_path / "one", "x.fits"))
    images = []
    for element in ("F606W", "F814W"):
        image = fits.ImageHDU(single[0].data, single[0].header, name="CUTOUT")
        image.header["FILTER"] = element
        images.append(image)
    (tmp_path / "two").mkdir()
    fits.HDUList([fits.PrimaryHDU(), *images]).writeto(tmp_path / "two" / "both.fits")
    single.close()
    archive.observations.publish("c", tmp_path / "two")
    cutout = archive.observations.cutout("ivo://example.awe/c?both#2")
    assert cutout is not None
    assert [hdu.header.get("FILTER") for hdu in cutout.open()] == [None, "F814W"]
