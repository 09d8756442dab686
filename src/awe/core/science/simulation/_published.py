"""The published numbers that the demonstration sky follows.

Each row of `PUBLISHED` says what was taken, from whom, and how firmly: ``measured`` numbers are those
of the reference; ``approximate`` ones are rounded, transformed or quoted from it at second hand;
``chosen`` ones are ours, made so that the field looks right, and the remark says against what.
"""

from dataclasses import dataclass
from typing import Literal

__all__ = ["PUBLISHED", "PublishedNumber", "number"]

Standing = Literal["measured", "approximate", "chosen"]


@dataclass(frozen=True, slots=True)
class PublishedNumber:
    """One number of the simulation.

    Attributes
    ----------
    key
        How the code asks for it.
    quantity
        What it is, for people.
    value, unit
        The number; the unit in VOUnits, empty where it has none.
    reference
        Where it comes from.
    standing
        ``measured``, ``approximate`` or ``chosen`` (see the module).
    remark
        What a careful reader should know.
    """

    key: str
    quantity: str
    value: float
    unit: str
    reference: str
    standing: Standing = "measured"
    remark: str = ""


_KUNDU = "Kundu et al. 1999, ApJ 513, 733"
_KORMENDY = "Kormendy et al. 2009, ApJS 182, 216"
_SIRIANNI = "Sirianni et al. 2005, PASP 117, 1049"
_PENG08 = "Peng et al. 2008, ApJ 681, 197"
_PENG09 = "Peng et al. 2009, ApJ 703, 42"
_COUNTS = "Marín-Franch & Aparicio 2003, ApJ 585, 714"
_SKY = "ACS science team, Zeropoint & Sky Background (2001)"
_SBF = "Blakeslee et al. 2009, ApJ 694, 556"

PUBLISHED: tuple[PublishedNumber, ...] = (
    PublishedNumber(
        "distance",
        "distance of M87 (Virgo subcluster A)",
        16.7,
        "Mpc",
        "Mei et al. 2007, ApJ 655, 144",
    ),
    PublishedNumber(
        "velocity", "heliocentric velocity of M87", 1284.0, "km/s", "Cappellari et al. 2011, MNRAS 413, 813"
    ),
    PublishedNumber(
        "cluster_dispersion",
        "velocity dispersion of the clusters",
        330.0,
        "km/s",
        "Strader et al. 2011, ApJS 197, 33",
        "approximate",
    ),
    PublishedNumber(
        "sersic_n",
        "Sérsic index of M87, V band, major axis",
        11.84,
        "",
        _KORMENDY,
        "approximate",
        "the formal errors are above one unit",
    ),
    PublishedNumber("sersic_re", "effective radius of M87", 703.9, "arcsec", _KORMENDY, "approximate"),
    PublishedNumber(
        "sersic_mu",
        "V surface brightness at the effective radius",
        25.70,
        "mag/arcsec**2",
        _KORMENDY,
        "approximate",
        "on the Vega scale",
    ),
    PublishedNumber("core_radius", "core radius of the starlight of M87", 6.8, "arcsec", _KUNDU),
    PublishedNumber(
        "core_slope",
        "logarithmic slope inside the core",
        0.2,
        "",
        "Lauer et al. 2007, ApJ 664, 226",
        "approximate",
        "as gamma of the core-Sérsic law of Graham et al. 2003, AJ 125, 2951",
    ),
    PublishedNumber(
        "galaxy_colour",
        "V - I of the starlight",
        1.30,
        "mag",
        _KUNDU,
        "approximate",
        "0.1 redder than the red clusters",
    ),
    PublishedNumber("ellipticity", "ellipticity of the inner isophotes", 0.08, "", _KORMENDY, "approximate"),
    PublishedNumber("major_axis", "position angle of the major axis", 155.0, "deg", _KORMENDY, "approximate"),
    PublishedNumber(
        "jet_angle",
        "position angle of the jet",
        290.5,
        "deg",
        "Perlman et al. 1999, AJ 117, 2185",
        "approximate",
        "knot places and magnitudes are approximate as well",
    ),
    PublishedNumber("gclf_turnover", "turnover of the cluster luminosity function, V", 23.67, "mag", _KUNDU),
    PublishedNumber("gclf_sigma", "Gaussian width of the cluster luminosity function", 1.39, "mag", _KUNDU),
    PublishedNumber("blue_peak", "V - I of the blue (metal-poor) clusters", 0.95, "mag", _KUNDU),
    PublishedNumber("red_peak", "V - I of the red (metal-rich) clusters", 1.20, "mag", _KUNDU),
    PublishedNumber(
        "blue_width",
        "dispersion of the blue peak in V - I",
        0.06,
        "mag",
        "Strader et al. 2006, AJ 132, 2333",
        "chosen",
        "the reference finds the red peak nearly twice as wide as the blue one",
    ),
    PublishedNumber(
        "red_width",
        "dispersion of the red peak in V - I",
        0.10,
        "mag",
        "Strader et al. 2006, AJ 132, 2333",
        "chosen",
        "as for the blue peak",
    ),
    PublishedNumber(
        "clusters", "globular clusters in the whole system", 14660, "", _PENG08, "approximate", "±891"
    ),
    PublishedNumber(
        "red_fraction", "fraction of red clusters in the whole system", 0.27, "", _PENG08, "approximate"
    ),
    PublishedNumber(
        "clusters_in_acs",
        "clusters catalogued in the deep ACS/WFC field",
        2250,
        "",
        _PENG09,
        remark="the profiles' slopes are set to give it",
    ),
    PublishedNumber("cluster_core", "core radius of the cluster system", 56.0, "arcsec", _KUNDU),
    PublishedNumber(
        "blue_slope",
        "outer surface density of blue clusters falls as radius to this power",
        -1.6,
        "",
        "Harris 2009, ApJ 703, 939",
        "chosen",
        "the reference: blue clusters are much more extended than red ones",
    ),
    PublishedNumber(
        "red_slope",
        "outer surface density of red clusters falls as radius to this power",
        -2.2,
        "",
        "Harris 2009, ApJ 703, 939",
        "chosen",
        "as for the blue slope",
    ),
    PublishedNumber(
        "half_light_radius",
        "typical half-light radius of a cluster",
        2.5,
        "pc",
        "Madrid et al. 2009, ApJ 705, 237",
    ),
    PublishedNumber(
        "size_ratio", "blue clusters are larger by this factor", 1.24, "", "Madrid et al. 2009, ApJ 705, 237"
    ),
    PublishedNumber(
        "intracluster",
        "intra-cluster globular clusters",
        900.0,
        "deg**-2",
        "Durrell et al. 2014, ApJ 794, 103",
        "chosen",
        "a smooth sheet; the reference counts 67,000 ± 14,000 in all of Virgo",
    ),
    PublishedNumber(
        "star_counts",
        "stars brighter than V = 20 towards the north galactic pole",
        2000.0,
        "deg**-2",
        "Bahcall & Soneira 1980, ApJS 44, 73",
        "approximate",
        "the cumulative counts of the simulation are round numbers around this one",
    ),
    PublishedNumber("galaxy_slope", "slope of log N(m) of galaxies in F814W", 0.26, "mag**-1", _COUNTS),
    PublishedNumber(
        "galaxy_counts",
        "galaxies at F814W(AB) = 24",
        2.0e4,
        "deg**-2.mag**-1",
        "Metcalfe et al. 2001, MNRAS 323, 795",
        "approximate",
    ),
    PublishedNumber(
        "f606w_term", "F606W = V - this * (V - I), Vega scale", 0.26, "", _SIRIANNI, "approximate"
    ),
    PublishedNumber("f606w_ab", "AB minus Vega, F606W", 0.085, "mag", _SIRIANNI, "approximate"),
    PublishedNumber("f814w_ab", "AB minus Vega, F814W (taken as I)", 0.43, "mag", _SIRIANNI, "approximate"),
    PublishedNumber("sky_f606w", "average zodiacal sky in F606W, per WFC pixel", 0.0851, "electron/s", _SKY),
    PublishedNumber("sky_f814w", "average zodiacal sky in F814W, per WFC pixel", 0.0755, "electron/s", _SKY),
    PublishedNumber("read_noise", "read noise of ACS/WFC", 5.0, "electron", _SIRIANNI, "approximate"),
    PublishedNumber(
        "sbf_f814w",
        "surface-brightness fluctuation magnitude in F814W(AB)",
        30.1,
        "mag",
        _SBF,
        "approximate",
        "other bands: F606W 31.6, both chosen",
    ),
    PublishedNumber(
        "reddening",
        "foreground E(B-V) towards M87",
        0.022,
        "mag",
        "Schlegel, Finkbeiner & Davis 1998, ApJ 500, 525",
        "approximate",
    ),
)

_BY_KEY = {row.key: row.value for row in PUBLISHED}


def number(key: str) -> float:
    """Return the value of one row of `PUBLISHED`."""
    return _BY_KEY[key]
