"""FITS headers of the simulated frames, with the keywords of ACS and of the Hubble Legacy Archive.

The keywords are those of the ACS Data Handbook, section 2.4; the WCS is that of FITS Standard 4.0,
section 8. Every header says that the pixels are simulated.
"""

import unicodedata
from collections.abc import Iterator

import numpy as np
from astropy.io import fits
from astropy.time import Time, TimeDelta

from awe.core.science.simulation._frames import Frame, frame_wcs
from awe.core.science.simulation._published import PUBLISHED
from awe.core.science.simulation._render import Picture

__all__ = ["frame_hdus", "primary_header", "science_header"]

ORIGIN = "awe demonstration sky"
_OVERHEAD = 120.0  # seconds between two exposures

Card = tuple[str, object, str]


def frame_hdus(picture: Picture) -> fits.HDUList:
    """Return the image as the Hubble Legacy Archive lays it out: primary header, SCI, WHT.

    WHT is the exposure time in whole seconds. A frame that asks for it has SCI tile-compressed
    (quantised to a sixteenth of the noise); WHT is always compressed, without loss: as integers by
    RICE, because the gzip methods write the time of day into the file.
    """
    header = science_header(picture.frame)
    if picture.frame.compress:
        science = fits.CompImageHDU(
            picture.science, header, name="SCI", compression_type="RICE_1", quantize_level=16,
            quantize_method=1, dither_seed=87,
        )  # fmt: skip
    else:
        science = fits.ImageHDU(picture.science, header, name="SCI")
    about = fits.Header([("BUNIT", "s", "exposure time of the pixel"), *_wcs_cards(picture.frame)])
    seconds = np.rint(picture.exposure).astype(np.int16)
    weight = fits.CompImageHDU(seconds, about, name="WHT", compression_type="RICE_1")
    return fits.HDUList([fits.PrimaryHDU(header=primary_header(picture.frame)), science, weight])


def primary_header(frame: Frame) -> fits.Header:
    """Return the primary header: what was observed, with what, when, and that it is simulated."""
    header = fits.Header([*_dataset_cards(frame), *_exposure_cards(frame), *_instrument_cards(frame)])
    header.add_comment("SIMULATED DATA. No photon of this image was seen by a telescope.")
    header.add_comment("The name of the data set is kept from the real one so that old notebooks run.")
    for row in PUBLISHED:
        header.add_history(_ascii(f"{row.key} = {row.value:g} {row.unit} ({row.standing}): {row.reference}"))
    return header


def science_header(frame: Frame) -> fits.Header:
    """Return the header of the SCI extension: WCS, unit, photometric calibration."""
    band = frame.band
    begin, end = _interval(frame)
    cards: list[Card] = [
        ("BUNIT", "ELECTRONS/S", "brightness units"),
        *_wcs_cards(frame),
        ("ORIENTAT", frame.north, "position angle of image y axis (deg. e of n)"),
        ("PHOTMODE", f"{frame.instrument} {frame.detector} {frame.filter}", "observation configuration"),
        ("PHOTFLAM", band.photflam, "inverse sensitivity, ergs/cm2/Ang/electron"),
        ("PHOTZPT", -21.10, "ST magnitude zero point"),
        ("PHOTPLAM", band.photplam, "Pivot wavelength (Angstroms)"),
        ("PHOTBW", band.photbw, "RMS bandwidth of filter plus detector"),
        ("ABZPT", round(band.zeropoint, 4), "AB magnitude of 1 electron/s"),
        ("MDRIZSKY", round(band.sky * frame.scale**2, 6), "subtracted sky, electrons/s/pixel"),
        ("EXPTIME", frame.exposure, "exposure duration (seconds)"),
        ("EXPSTART", begin.mjd, "exposure start time (Modified Julian Date)"),
        ("EXPEND", end.mjd, "exposure end time (Modified Julian Date)"),
        ("SIMULATD", True, "these pixels are simulated"),
    ]
    return fits.Header(cards)


def _wcs_cards(frame: Frame) -> Iterator[Card]:
    wcs = frame_wcs(frame).wcs
    yield "WCSAXES", 2, "number of World Coordinate System axes"
    for i in (0, 1):
        yield f"CTYPE{i + 1}", str(wcs.ctype[i]), "the coordinate type"
        yield f"CUNIT{i + 1}", "deg", "units of the coordinate"
        yield f"CRVAL{i + 1}", float(wcs.crval[i]), "value at the reference pixel (deg)"
        yield f"CRPIX{i + 1}", float(wcs.crpix[i]), "the reference pixel"
        for j in (0, 1):
            yield f"CD{i + 1}_{j + 1}", float(wcs.cd[i, j]) + 0.0, "partial derivative, deg/pixel"
    yield "RADESYS", "ICRS", "reference frame of the coordinates"


def _dataset_cards(frame: Frame) -> list[Card]:
    return [
        ("ORIGIN", ORIGIN, "who made this file"),
        ("CREATOR", ORIGIN, "who made this image"),
        ("TITLE", f"Simulated {frame.camera} image of M87", "title"),
        ("SIMULATD", True, "these pixels are simulated"),
        ("FILENAME", f"{frame.name}_drz.fits", "name of file"),
        ("FILETYPE", "SCI", "type of data found in data file"),
        ("ROOTNAME", frame.name, "rootname of the observation set"),
        ("IMAGETYP", "EXT", "type of exposure identifier"),
        ("OBSTYPE", "IMAGING", "observation type"),
        ("TARGNAME", frame.target, "target name"),
        ("RA_TARG", frame.centre[0], "right ascension of the target (deg) (ICRS)"),
        ("DEC_TARG", frame.centre[1], "declination of the target (deg) (ICRS)"),
        ("EQUINOX", 2000.0, "equinox of celestial coord. system"),
        ("PROPOSID", frame.proposal, "PEP proposal identifier"),
        ("VISITNUM", frame.visit, "visit of the proposal"),
        ("PR_INV_L", frame.investigator, "last name of principal investigator"),
        ("LEVEL", 2, "HLA processing level: combined, one visit"),
    ]


def _exposure_cards(frame: Frame) -> list[Card]:
    begin, end = _interval(frame)
    return [
        ("DATE-OBS", begin.strftime("%Y-%m-%d"), "UT date of start of observation"),
        ("TIME-OBS", begin.strftime("%H:%M:%S"), "UT time of start of observation"),
        ("EXPSTART", begin.mjd, "exposure start time (Modified Julian Date)"),
        ("EXPEND", end.mjd, "exposure end time (Modified Julian Date)"),
        ("EXPTIME", frame.exposure, "exposure duration (seconds)"),
        ("TEXPTIME", frame.exposure, "total exposure time (seconds)"),
        ("EXPFLAG", "NORMAL", "Exposure interruption indicator"),
        ("NEXP", frame.exposures, "number of exposures"),
        ("NCOMBINE", frame.exposures, "number of exposures combined"),
        ("PA_V3", (frame.roll + 180) % 360, "position angle of V3-axis of HST (deg)"),
    ]


def _instrument_cards(frame: Frame) -> list[Card]:
    cards: list[Card] = [
        ("TELESCOP", "HST", "telescope whose data are imitated"),
        ("INSTRUME", frame.instrument, "instrument"),
        ("DETECTOR", frame.detector, "detector"),
        ("APERTURE", frame.aperture, "aperture name"),
        ("FILTER", frame.filter, "spectral element, or all of them"),
        ("FILTER1", frame.wheels[0], "element selected from filter wheel 1"),
        ("FILTER2", frame.wheels[1], "element selected from filter wheel 2"),
        ("CCDGAIN", 2.0, "commanded gain of CCD"),
        ("READNSEA", 5.0, "read noise (electrons)"),
        ("PIXSCALE", frame.scale, "pixel scale (arcsec)"),
    ]
    return cards


def _ascii(text: str) -> str:
    """Return the text without accents: FITS headers hold ASCII only."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def _interval(frame: Frame) -> tuple[Time, Time]:
    begin = Time(frame.started, scale="utc")
    lasting = frame.exposure + _OVERHEAD * (frame.exposures - 1)
    return begin, begin + TimeDelta(np.round(lasting, 3), format="sec")
