"""The client's spectra, against the application in this process."""

import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from astropy import units
from astropy.io import fits

from awe.client import Client, connect
from awe.errors import NotFoundError, ParameterError
from awe.testing import tiny_archive, tiny_settings


def _write(path: Path, waves: np.ndarray, **cards: object) -> None:
    header = fits.Header()
    header.update(cards)
    columns = [
        fits.Column("WAVELENGTH", "D", unit="Angstrom", array=waves),
        fits.Column("FLUX", "E", unit="erg s-1 cm-2 Angstrom-1", array=waves.astype(np.float32) / 1e20),
        fits.Column(
            "ERROR", "E", unit="erg s-1 cm-2 Angstrom-1", array=np.full(len(waves), 1e-18, np.float32)
        ),
    ]
    fits.HDUList([fits.PrimaryHDU(header=header), fits.BinTableHDU.from_columns(columns)]).writeto(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("spectra")
    spectra = made / "spectra"
    spectra.mkdir()
    _write(spectra / "near.fits", np.linspace(4000, 7000, 50), RA_TARG=187.7, DEC_TARG=12.39, TARGNAME="Near")
    _write(spectra / "far.fits", np.linspace(1200, 1700, 50), RA_TARG=10.0, DEC_TARG=-5.0, TARGNAME="Far")
    (spectra / "model.txt").write_text("# wavelength[nm] flux[Jy]\n400 1\n400 2\n500 3\n300 4\n")
    rows = [fits.Column(n, "3D", unit=u, array=np.array(a)) for n, u, a in (
        ("WAVELENGTH", "Angstrom", [[3.0, 4.0, 5.0], [1.0, 2.0, 3.0]]), ("FLUX", "Jy", [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
    )]  # fmt: skip
    order = fits.Column("SPORDER", "J", array=np.array([1, 2]))
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns([order, *rows])]).writeto(
        spectra / "echelle_x1d.fits"
    )
    with tiny_archive(made / "sky") as platform:
        platform.observations.publish("s", spectra)
    return made / "sky"


@pytest.fixture(scope="module")
def archive(folder: Path) -> Iterator[Client]:
    with connect(folder) as opened:
        yield opened


def test_spectra_are_searched_on_the_sky_and_by_what_is_known(archive: Client) -> None:
    assert list(archive.spectra("187.7 12.39", "10 arcsec")["target_name"]) == ["Near"]
    assert set(archive.spectra()["obs_id"]) == {"near", "far", "model", "echelle"}
    assert list(archive.spectra(band_m=(1e-7, 1.5e-7))["target_name"]) == ["Far"]
    assert list(archive.spectra(target=["FAR", "near"], collection="s")["obs_id"]) == ["far", "near"]
    assert len(archive.spectra(time_mjd=(0, float("inf")))) == 0
    assert archive.spectra(max_rows=1).meta["overflow"]
    assert len(archive.images("187.7059 12.3911", "1 arcmin")) == 2  # images are images


def test_a_spectrum_is_a_table_with_the_units_of_its_file(archive: Client, tmp_path: Path) -> None:
    table = archive.spectrum_table("near")
    assert np.array_equal(table["spectral"], np.linspace(4000, 7000, 50))
    assert table["spectral"].unit == units.Angstrom
    assert table["flux"].unit == units.Unit("erg s-1 cm-2 Angstrom-1")
    saved = archive.save_spectrum("near", tmp_path / "near.fits")
    with fits.open(saved) as hdus:
        assert np.array_equal(hdus[1].data["spectral"], table["spectral"])
    with pytest.raises(NotFoundError, match="did you mean"):
        archive.spectrum_table("neer")
    with pytest.raises(ParameterError, match="no spectrum"):
        archive.spectrum_table("tiny_acs_f606w")
    with pytest.raises(ParameterError, match=r"not an interval of two"):
        archive.transport.get_json("/api/spectra", {"band": "wide"})


@pytest.mark.slow
def test_a_spectrum_is_a_value_of_specutils(archive: Client) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import specutils

        near = archive.spectrum("near")
        model = archive.spectrum("model")
        echelle = archive.spectrum("echelle")
    assert isinstance(near, specutils.Spectrum)
    assert near.flux.unit == units.Unit("erg s-1 cm-2 Angstrom-1")
    assert np.array_equal(near.spectral_axis.value, np.linspace(4000, 7000, 50))
    assert near.uncertainty is not None
    assert isinstance(model, specutils.Spectrum)
    assert list(model.spectral_axis.value) == [300, 400, 500]  # ascending, each once
    assert list(model.flux.value) == [4, 1, 3]
    assert isinstance(echelle, specutils.SpectrumList)
    assert [list(part.flux.value) for part in echelle] == [[4, 5, 6], [1, 2, 3]]


@pytest.mark.slow
def test_the_command_line_prints_and_saves(folder: Path, tmp_path: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "awe", *words, "--at", str(folder)]
        return subprocess.run(command, check=True, capture_output=True, text=True)

    assert "Near" in run("spectra", "187.7 12.39", "10 arcsec").stdout
    said = run("spectrum", "near", str(tmp_path / "near.csv")).stdout
    assert "near.csv" in said
    assert len((tmp_path / "near.csv").read_text().splitlines()) == 51


@pytest.mark.slow
def test_specutils_is_loaded_only_when_it_is_needed(tmp_path: Path) -> None:
    code = "import sys, awe, awe.cli, awe.cli.up, awe.web.app, awe.client; print('specutils' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
    assert tiny_settings(tmp_path).port == 0
