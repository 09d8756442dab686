"""Spectra of the demonstration sky: the nucleus of M87, its galaxy, a knot of its jet, its brightest clusters.

Each is a continuum through the object's two magnitudes, absorption or emission lines at the published velocity, the
width of a spectrograph of `RESOLVING_POWER`, and noise. Lines, depths and noise are chosen so that the spectra look
right; nobody should measure abundances in them. Wavelengths are in vacuum.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from awe.core.science.simulation._galaxy import JET, JET_COLOUR, M87, surface_brightness
from awe.core.science.simulation._published import PUBLISHED, number
from awe.core.science.simulation._sources import CLUSTER, Sky

__all__ = ["RESOLVING_POWER", "SimulatedSpectrum", "simulated_spectra", "spectrum_hdus"]

Floats = NDArray[np.float64]

RESOLVING_POWER = 1200.0

_WAVES = np.arange(3600.0, 9200.0, 2.0)  # Angstrom
_LIGHT_KM_S = 299792.458
_C_ANGSTROM_S = 2.99792458e18
_PIVOTS = (5921.1, 8057.0)  # of F606W and F814W, ACS/WFC
_CLUSTERS = 6
_REACH_ARCSEC = 100.0
_EXPOSURE_S = 3600.0
_START_MJD = 55927.3
_FIRST_NUMBER = 487_000_000_001

# Ångström in vacuum -> depth of the line in a metal-rich spectrum; the Balmer lines of a metal-poor one are deeper
_METALS: Mapping[float, float] = {
    3934.8: 0.60, 3969.6: 0.55, 4227.9: 0.15, 4305.6: 0.28, 5176.4: 0.25, 5271.5: 0.12, 5336.0: 0.10,
    5895.6: 0.18, 8500.4: 0.12, 8544.4: 0.22, 8664.5: 0.18,
}  # fmt: skip
_BALMER: Mapping[float, float] = {4102.9: 0.15, 4341.7: 0.16, 4862.7: 0.18, 6564.6: 0.14}
_EMISSION: Mapping[float, float] = {
    3728.5: 0.8, 4862.7: 0.25, 5008.2: 0.35, 6302.0: 0.25, 6549.9: 0.5, 6564.6: 1.0, 6585.3: 1.5, 6718.3: 0.5,
    6732.7: 0.5,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SimulatedSpectrum:
    """One spectrum: wavelengths in Ångström (vacuum), flux and its error in erg/s/cm²/Ångström.

    Attributes
    ----------
    name, target, kind
        Of the dataset, of the object, and the object's class.
    specid
        What a survey would know the spectrum by.
    ra, dec
        ICRS, deg.
    redshift
        Heliocentric.
    waves, flux, error
        The samples.
    """

    name: str
    target: str
    kind: str
    specid: int
    ra: float
    dec: float
    redshift: float
    waves: Floats
    flux: Floats
    error: Floats


def simulated_spectra(sky: Sky) -> Iterator[SimulatedSpectrum]:
    """Yield the spectra of a sky; the same sky gives the same ones."""
    for specid, spectrum in enumerate(_all(sky), _FIRST_NUMBER):
        yield replace(spectrum, specid=specid)


def _all(sky: Sky) -> Iterator[SimulatedSpectrum]:
    rng = np.random.default_rng([sky.seed, 5])
    velocity = number("velocity")
    east = np.radians(np.array([number("jet_angle")]))
    f606w, f814w = (float(band[0]) for band in surface_brightness(np.array([20.0])))
    # the light of a fibre of two arcsec
    galaxy = (f606w - 2.5 * np.log10(np.pi), f814w - 2.5 * np.log10(np.pi))
    nucleus, knot = JET[0], JET[6]
    yield _made(
        rng, "m87_nucleus", "M87 nucleus", "AGN", M87, _jet_light(nucleus.v), velocity, _EMISSION, 450.0, 40
    )
    beside = (M87[0], M87[1] + 20.0 / 3600)
    yield _made(
        rng, "m87_20arcsec_north", "M87", "galaxy", beside, galaxy, velocity, _absorption(1.0), 300.0, 60
    )
    place = _away(knot.distance, float(east[0]))
    yield _made(
        rng, "m87_jet_knot_a", "M87 jet knot A", "jet", place, _jet_light(knot.v), velocity, {}, 0.0, 30
    )
    yield from _clusters(sky, rng, velocity)


def _clusters(sky: Sky, rng: np.random.Generator, velocity: float) -> Iterator[SimulatedSpectrum]:
    clusters = sky.sources.where(sky.sources.kind == CLUSTER)
    away = np.hypot((clusters.ra - M87[0]) * np.cos(np.radians(M87[1])), clusters.dec - M87[1]) * 3600
    near = clusters.where((away < _REACH_ARCSEC) & (away > 10.0))
    colour = near.f606w - near.f814w
    for word, which in (("blue", colour < np.median(colour)), ("red", colour >= np.median(colour))):
        some = near.where(which)
        brightest = some.where(np.argsort(some.f814w, kind="stable")[: _CLUSTERS // 2])
        for i in range(len(brightest)):
            own = velocity + rng.normal(0.0, number("cluster_dispersion"))
            yield _made(
                rng, f"m87_cluster_{word}_{i + 1}", f"globular cluster of M87, {word} {i + 1}", "globular cluster",
                (float(brightest.ra[i]), float(brightest.dec[i])),
                (float(brightest.f606w[i]), float(brightest.f814w[i])),
                own, _absorption(1.0 if word == "red" else 0.3), 12.0, 15,
            )  # fmt: skip


def _made(
    rng: np.random.Generator,
    name: str,
    target: str,
    kind: str,
    place: tuple[float, float],
    magnitudes: tuple[float, float],
    velocity: float,
    lines: Mapping[float, float],
    dispersion: float,
    signal_to_noise: float,
) -> SimulatedSpectrum:
    redshift = velocity / _LIGHT_KM_S
    clean = _continuum(magnitudes) * _profile(lines, redshift, dispersion)
    error = np.sqrt(np.abs(clean) * float(np.median(clean))) / signal_to_noise
    flux = clean + rng.normal(0.0, 1.0, len(clean)) * error
    return SimulatedSpectrum(name, target, kind, 0, *place, redshift, _WAVES, flux, error)


def _jet_light(v: float) -> tuple[float, float]:
    f606w = v - number("f606w_term") * JET_COLOUR + number("f606w_ab")
    return f606w, v - JET_COLOUR + number("f814w_ab")


def _continuum(magnitudes: Sequence[float]) -> Floats:
    """Return a power law through two AB magnitudes, erg/s/cm²/Ångström."""
    flux = [
        3.631e-20 * 10 ** (-0.4 * m) * _C_ANGSTROM_S / w**2 for m, w in zip(magnitudes, _PIVOTS, strict=True)
    ]
    slope = np.log(flux[1] / flux[0]) / np.log(_PIVOTS[1] / _PIVOTS[0])
    return np.asarray(flux[0] * (_WAVES / _PIVOTS[0]) ** slope)


def _absorption(metals: float) -> dict[float, float]:
    """Return lines as negative strengths; metals from 0 (none) to 1 (as in a giant elliptical)."""
    found = {wave: -depth * metals for wave, depth in _METALS.items()}
    return found | {wave: -depth * (1.6 - metals) for wave, depth in _BALMER.items()}


def _profile(lines: Mapping[float, float], redshift: float, dispersion: float) -> Floats:
    """Return what lines make of a continuum of one."""
    # old stars shine little below 4000 Ångström
    old = any(strength < 0 for strength in lines.values())
    profile = (
        1 - 0.45 / (1 + np.exp((_WAVES / (1 + redshift) - 4000.0) / 60.0)) if old else np.ones(len(_WAVES))
    )
    for rest, strength in lines.items():
        centre = rest * (1 + redshift)
        sigma = centre * np.hypot(dispersion / _LIGHT_KM_S, 1 / (2.355 * RESOLVING_POWER))
        narrow = 8.0 if strength < 0 else 0.0  # a band of lines is wider than a line
        width = np.hypot(sigma, narrow)
        profile += strength * np.exp(-0.5 * ((_WAVES - centre) / width) ** 2)
    return profile


def _away(distance_arcsec: float, angle: float) -> tuple[float, float]:
    east, north = distance_arcsec * np.sin(angle), distance_arcsec * np.cos(angle)
    return M87[0] + east / 3600 / np.cos(np.radians(M87[1])), M87[1] + north / 3600


def spectrum_hdus(spectrum: SimulatedSpectrum) -> fits.HDUList:
    """Return a spectrum as a FITS file: what was observed in the primary header, a table of the samples."""
    header = fits.Header(
        [
            ("ORIGIN", "awe demonstration sky", "who made this file"),
            ("SIMULATD", True, "this spectrum is simulated"),
            ("TARGNAME", spectrum.target, "object"),
            ("OBJCLASS", spectrum.kind, "class of the object"),
            ("SPECID", spectrum.specid, "number of the spectrum"),
            ("RA_TARG", spectrum.ra, "right ascension of the target (deg, ICRS)"),
            ("DEC_TARG", spectrum.dec, "declination of the target (deg, ICRS)"),
            ("RADESYS", "ICRS", "frame of the position"),
            ("REDSHIFT", spectrum.redshift, "heliocentric"),
            ("TELESCOP", "simulation", "no telescope"),
            ("INSTRUME", "spectrograph", "as simulated"),
            ("FIBRE", 2.0, "diameter of the aperture (arcsec)"),
            ("SPEC_RP", RESOLVING_POWER, "resolving power"),
            ("MJD-OBS", _START_MJD, "start of the simulated exposure"),
            ("EXPTIME", _EXPOSURE_S, "exposure time (s)"),
            ("AIRORVAC", "vac", "wavelengths are in vacuum"),
        ]
    )
    header.add_comment("SIMULATED DATA. No photon of this spectrum was seen by a telescope.")
    for row in PUBLISHED:
        if row.key in {"velocity", "cluster_dispersion"}:
            header.add_history(f"{row.key} = {row.value:g} {row.unit}: {row.reference}")
    unit = "erg s-1 cm-2 Angstrom-1"
    columns = [
        fits.Column("WAVELENGTH", "D", unit="Angstrom", array=spectrum.waves),
        fits.Column("FLUX", "E", unit=unit, array=spectrum.flux.astype(np.float32)),
        fits.Column("ERROR", "E", unit=unit, array=spectrum.error.astype(np.float32)),
    ]
    table = fits.BinTableHDU.from_columns(columns, name="SPECTRUM")
    return fits.HDUList([fits.PrimaryHDU(header=header), table])
