"""SDSS's named numbers: types of objects and bits of flags, with the names and values of its data model."""

from collections.abc import Mapping

__all__ = ["GALAXY", "PHOTO_FLAGS", "PHOTO_TYPES", "STAR"]

GALAXY, STAR = 3, 6

PHOTO_TYPES: Mapping[str, tuple[int, str]] = {
    "UNKNOWN": (0, "type is unknown"),
    "COSMIC_RAY": (1, "cosmic-ray track"),
    "DEFECT": (2, "defect of the detector"),
    "GALAXY": (GALAXY, "extended object"),
    "GHOST": (4, "image of a bright star by reflected light"),
    "KNOWNOBJ": (5, "object of another catalogue"),
    "STAR": (STAR, "point source"),
    "TRAIL": (7, "trail of a satellite, asteroid or meteor"),
    "SKY": (8, "place without an object"),
    "NOTATYPE": (9, "not a type"),
}
"""Name, value, description."""

_FLAGS = (
    ("CANONICAL_CENTER", "measured at the centre found in another band"),
    ("BRIGHT", "found in the first pass over bright objects; there is a better row"),
    ("EDGE", "too near to the edge of the frame"),
    ("BLENDED", "overlaps another object; its children are measured apart"),
    ("CHILD", "a part of a blended object"),
    ("PEAKCENTER", "the centre is that of the brightest pixel"),
    ("NODEBLEND", "blended, and not taken apart"),
    ("NOPROFILE", "too small for a radial profile"),
    ("NOPETRO", "no Petrosian radius was found"),
    ("MANYPETRO", "more than one Petrosian radius"),
    ("NOPETRO_BIG", "no Petrosian radius inside of the largest one looked at"),
    ("DEBLEND_TOO_MANY_PEAKS", "more peaks than are taken apart"),
    ("CR", "has a pixel hit by a cosmic ray"),
    ("MANYR50", "more than one radius with half of the light"),
    ("MANYR90", "more than one radius with 90 % of the light"),
    ("BAD_RADIAL", "the radial profile has poor points"),
    ("INCOMPLETE_PROFILE", "the profile reaches beyond the frame"),
    ("INTERP", "has interpolated pixels"),
    ("SATURATED", "has saturated pixels"),
    ("NOTCHECKED", "has pixels in which no peaks were looked for"),
    ("SUBTRACTED", "the wings of a bright star were subtracted"),
    ("NOSTOKES", "shape parameters could not be measured"),
    ("BADSKY", "the sky could not be measured"),
    ("PETROFAINT", "a Petrosian radius lies where the profile is faint"),
    ("TOO_LARGE", "too large for the frame"),
    ("DEBLENDED_AS_PSF", "taken out of a blend as a point source"),
    ("DEBLEND_PRUNED", "a part of the blend was left out"),
    ("ELLIPFAINT", "the isophote is fainter than the profile reaches"),
    ("BINNED1", "found at 5 sigma in the image as it is"),
    ("BINNED2", "found in the image binned by two"),
    ("BINNED4", "found in the image binned by four"),
    ("MOVED", "may have moved between the bands"),
    ("DEBLENDED_AS_MOVING", "taken apart as a moving object"),
    ("NODEBLEND_MOVING", "moving, and not taken apart"),
    ("TOO_FEW_DETECTIONS", "too few detections for a motion"),
    ("BAD_MOVING_FIT", "the motion fits badly"),
    ("STATIONARY", "the motion is not significant"),
    ("PEAKS_TOO_CLOSE", "two peaks were too close to be kept apart"),
    ("BINNED_CENTER", "the centre was found in a binned image"),
    ("LOCAL_EDGE", "at the edge of the frame in some band"),
    ("BAD_COUNTS_ERROR", "the error of the flux is wrong"),
    ("BAD_MOVING_FIT_CHILD", "a child's motion fits badly"),
    ("DEBLEND_UNASSIGNED_FLUX", "flux that belonged to no child was shared out"),
    ("SATUR_CENTER", "the centre is saturated"),
    ("INTERP_CENTER", "the centre is interpolated"),
    ("DEBLENDED_AT_EDGE", "taken apart although it is at the edge"),
    ("DEBLEND_NOPEAK", "a child without a peak of its own"),
    ("PSF_FLUX_INTERP", "much of the PSF flux is interpolated"),
    ("TOO_FEW_GOOD_DETECTIONS", "too few good detections"),
    ("CENTER_OFF_AIMAGE", "the centre lies outside of the object"),
    ("DEBLEND_DEGENERATE", "two children were alike"),
    ("BRIGHTEST_GALAXY_CHILD", "the brightest child of a blend of a galaxy"),
    ("CANONICAL_BAND", "measured in the band that the centre comes from"),
    ("AMOMENT_UNWEIGHTED", "adaptive moments failed; plain ones are given"),
    ("AMOMENT_SHIFT", "the centre moved too far while moments were measured"),
    ("AMOMENT_MAXITER", "adaptive moments did not converge"),
    ("MAYBE_CR", "may be a cosmic ray"),
    ("MAYBE_EGHOST", "may be a ghost of the electronics"),
    ("NOTCHECKED_CENTER", "no peaks were looked for at the centre"),
    ("HAS_SATUR_DN", "the flux of bleeding trails was added"),
    ("DEBLEND_PEEPHOLE", "taken apart in a simpler way"),
)

PHOTO_FLAGS: Mapping[str, tuple[int, str]] = {
    name: (1 << bit, description) for bit, (name, description) in enumerate(_FLAGS)
}
"""Name, value, description."""
