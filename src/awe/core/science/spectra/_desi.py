"""The coadded spectra of the Dark Energy Spectroscopic Instrument: many targets in a file, three arms each.

FIBERMAP has a row a target; ``B_WAVELENGTH`` and ``B_FLUX``, ``B_IVAR``, ``B_MASK`` (R, Z alike) hold the arms, and
EXP_FIBERMAP the exposures. The arms overlap and stay apart, as segments. Fibres are 1.5 arcsec wide on the sky
(DESI Collaboration 2022, AJ 164, 207).
"""

from collections.abc import Iterator, Mapping

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from awe.core.science.keywords import card
from awe.core.science.spectra._model import Axis, Reading, Spectrum
from awe.core.science.spectra._pixels import pixels
from awe.core.science.spectra._units import flux_ucd, parse_unit, spectral_ucd, written

__all__ = ["desi"]

_FIBRE_DEG = 1.5 / 3600.0
_FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))


def desi(hdus: fits.HDUList, reading: Reading) -> list[Spectrum] | None:
    """Read a file of DESI; None for another one."""
    numbers = {hdu.name.upper(): number for number, hdu in enumerate(hdus)}
    arms = [name.removesuffix("_FLUX") for name in numbers if name.endswith("_FLUX")]
    arms = [arm for arm in arms if f"{arm}_WAVELENGTH" in numbers]
    if "FIBERMAP" not in numbers or not arms:
        return None
    waves = {arm: pixels(hdus[f"{arm}_WAVELENGTH"]) for arm in arms}
    exposures = _exposures(hdus, numbers)
    used = tuple(numbers[f"{arm}_FLUX"] for arm in arms)
    return [
        _target(hdus, numbers, arms, waves, row, target, exposures, used, reading)
        for row, target in enumerate(hdus["FIBERMAP"].data)
    ]


def _target(
    hdus: fits.HDUList,
    numbers: Mapping[str, int],
    arms: list[str],
    waves: Mapping[str, NDArray[np.generic]],
    row: int,
    target: fits.FITS_record,
    exposures: Mapping[int, dict[str, object]],
    used: tuple[int, ...],
    reading: Reading,
) -> Spectrum:
    def joined(kind: str) -> NDArray[np.generic] | None:
        if not all(f"{arm}_{kind}" in numbers for arm in arms):
            return None
        return np.concatenate([pixels(hdus[f"{arm}_{kind}"], row) for arm in arms])

    spectral = parse_unit(
        reading.spectral_unit or str(card(hdus[f"{arms[0]}_WAVELENGTH"].header, "BUNIT") or "Angstrom")
    )
    said = reading.flux_unit or str(card(hdus[f"{arms[0]}_FLUX"].header, "BUNIT") or "")
    unit = parse_unit(said)
    ucd = flux_ucd(unit) if unit is not None else ""
    ivar, mask, flux = joined("IVAR"), joined("MASK"), joined("FLUX")
    number = int(target["TARGETID"])
    facts: dict[str, object] = {
        "s_ra": float(target["TARGET_RA"]),
        "s_dec": float(target["TARGET_DEC"]),
        "s_fov": _FIBRE_DEG,
        "target_name": f"DESI {number}",
        "specid": str(number),
        "facility_name": "Mayall 4m",
        "instrument_name": "DESI",
        "target_class": "sky" if str(target["OBJTYPE"]).strip() == "SKY" else None,
        "proposal_id": None,  # PROGRAM is the kind of night
        **exposures.get(number, {}),
    }
    power = _resolving_power(hdus, numbers, arms, waves, row)
    return Spectrum(
        Axis(
            "wavelength",
            np.concatenate([waves[arm] for arm in arms]),
            written(spectral) if spectral else "",
            (spectral and spectral_ucd(spectral)) or "",
        ),
        Axis("flux", np.asarray(flux), written(unit) if unit is not None else said, ucd),
        None
        if ivar is None
        else Axis(
            "error",
            _deviation(ivar),
            written(unit) if unit is not None else said,
            f"stat.error;{ucd}" if ucd else "stat.error",
        ),
        None if mask is None else mask.astype(np.int64),
        np.repeat(np.array([arm.lower() for arm in arms]), [len(waves[arm]) for arm in arms]),
        key=str(number),
        hdus=used,
        medium="vacuum",
        facts=facts if power is None else {**facts, "em_res_power": power},
        headers=(hdus[0].header,),
    )


def _deviation(ivar: NDArray[np.generic]) -> NDArray[np.float64]:
    known = np.asarray(ivar, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(known > 0, 1 / np.sqrt(known), np.nan)


def _exposures(hdus: fits.HDUList, numbers: Mapping[str, int]) -> dict[int, dict[str, object]]:
    """Return when each target was observed, and how long (MJD is that of an exposure's beginning)."""
    if "EXP_FIBERMAP" not in numbers:
        return {}
    data = hdus["EXP_FIBERMAP"].data
    found: dict[int, dict[str, object]] = {}
    for number in np.unique(data["TARGETID"]):
        some = data[data["TARGETID"] == number]
        found[int(number)] = {
            "t_min": float(some["MJD"].min()),
            "t_max": float((some["MJD"] + some["EXPTIME"] / 86400).max()),
            "t_exptime": float(some["EXPTIME"].sum()),
            "n_exposures": len(some),
        }
    return found


def _resolving_power(
    hdus: fits.HDUList,
    numbers: Mapping[str, int],
    arms: list[str],
    waves: Mapping[str, NDArray[np.generic]],
    row: int,
) -> float | None:
    """Return the median of wavelength over width, the width from the diagonals of the resolution matrix."""
    powers = list(_powers(hdus, numbers, arms, waves, row))
    joined = np.concatenate(powers) if powers else np.array([])
    joined = joined[np.isfinite(joined)]
    return float(np.median(joined)) if joined.size else None


def _powers(
    hdus: fits.HDUList,
    numbers: Mapping[str, int],
    arms: list[str],
    waves: Mapping[str, NDArray[np.generic]],
    row: int,
) -> Iterator[NDArray[np.float64]]:
    for arm in arms:
        if f"{arm}_RESOLUTION" not in numbers:
            continue
        bands = np.asarray(pixels(hdus[f"{arm}_RESOLUTION"], row), np.float64)
        offset = np.arange(len(bands))[:, None] - len(bands) // 2
        wave = np.asarray(waves[arm], np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            total = bands.sum(axis=0)
            centre = (bands * offset).sum(axis=0) / total
            sigma = np.sqrt((bands * offset**2).sum(axis=0) / total - centre**2)
            yield wave / (_FWHM * sigma * np.gradient(wave))
