"""Sources that astronomers ask for by name and that are in no table we carry: written down here.

Positions of radio sources are those of the International Celestial Reference Frame, of stars those of
Hipparcos or Gaia at J2000, the others are the usual centres of the fields and clusters. An entry with a
name in place of a position is another name of that object.
"""

from collections.abc import Iterator

from awe.services.names.model import NamedObject

__all__ = ["OTHER_NAMES", "famous_sources"]

# kind and source, then: names separated by commas = right ascension (hours) and declination, ICRS
_SOURCES = {
    ("Active galaxy", "ICRF"): """
3C 273, PG 1226+023              = 12 29 06.6997  +02 03 08.598
3C 279                           = 12 56 11.1666  -05 47 21.525
3C 48                            = 01 37 41.2994  +33 09 35.133
3C 120                           = 04 33 11.0956  +05 21 15.619
3C 147                           = 05 42 36.1379  +49 51 07.234
3C 286                           = 13 31 08.2881  +30 30 32.960
3C 345                           = 16 42 58.8100  +39 48 36.994
3C 390.3                         = 18 42 08.9899  +79 46 17.128
3C 454.3                         = 22 53 57.7479  +16 08 53.561
Cygnus A, 3C 405                 = 19 59 28.3566  +40 44 02.096
BL Lac, BL Lacertae              = 22 02 43.2914  +42 16 39.980
OJ 287                           = 08 54 48.8749  +20 06 30.641
Mrk 421, Markarian 421           = 11 04 27.3139  +38 12 31.799
Mrk 501, Markarian 501           = 16 53 52.2167  +39 45 36.609
CTA 102                          = 22 32 36.4089  +11 43 50.904
PKS 1510-089                     = 15 12 50.5329  -09 05 59.830
PKS 2155-304                     = 21 58 52.0651  -30 13 32.118
Sgr A*, Sagittarius A*, Galactic Centre, Galactic Center = 17 45 40.0409 -29 00 28.118
""",
    ("Star", "Hipparcos or Gaia, J2000"): """
Proxima Centauri, Proxima Cen, alf Cen C = 14 29 42.946 -62 40 46.16
Barnard's Star                   = 17 57 48.498  +04 41 36.11
TRAPPIST-1                       = 23 06 29.37   -05 02 29.0
51 Peg                           = 22 57 27.980  +20 46 07.80
55 Cnc                           = 08 52 35.811  +28 19 50.96
HD 209458                        = 22 03 10.773  +18 53 03.55
HD 189733                        = 20 00 43.713  +22 42 39.07
tau Cet                          = 01 44 04.083  -15 56 14.93
eps Eri                          = 03 32 55.845  -09 27 29.73
61 Cyg, 61 Cyg A                 = 21 06 53.940  +38 44 57.90
bet Pic                          = 05 47 17.088  -51 03 59.44
TW Hya                           = 11 01 51.906  -34 42 17.03
eta Car                          = 10 45 03.546  -59 41 03.95
Mira, omi Cet                    = 02 19 20.792  -02 58 39.50
del Cep                          = 22 29 10.265  +58 24 54.71
RR Lyr                           = 19 25 27.913  +42 47 03.69
T CrB                            = 15 59 30.162  +25 55 12.61
""",
    ("X-ray binary", "literature, 0.1 arcsec"): """
Cyg X-1, Cygnus X-1              = 19 58 21.676  +35 12 05.78
Her X-1, Hercules X-1            = 16 57 49.81   +35 20 32.5
Sco X-1, Scorpius X-1            = 16 19 55.07   -15 38 25.0
SS 433                           = 19 11 49.565  +04 58 57.82
GRS 1915+105                     = 19 15 11.55   +10 56 44.8
""",
    ("Pulsar", "literature, 0.1 arcsec"): """
Crab Pulsar, PSR B0531+21        = 05 34 31.973  +22 00 52.06
Vela Pulsar, PSR B0833-45        = 08 35 20.611  -45 10 34.88
Geminga                          = 06 33 54.15   +17 46 12.9
PSR B1919+21                     = 19 21 44.815  +21 53 02.25
""",
    ("Supernova remnant", "literature, arcsec"): """
SN 1987A                         = 05 35 28.02   -69 16 11.1
Cas A, Cassiopeia A, 3C 461      = 23 23 24.0    +58 48 54
""",
    ("Cluster of galaxies", "literature, arcmin"): """
Coma Cluster, Abell 1656         = 12 59 48.7    +27 58 50
Perseus Cluster, Abell 426       = 03 19 47.2    +41 30 47
Virgo Cluster                    = 12 26 32.1    +12 43 24
Bullet Cluster, 1E 0657-56       = 06 58 37.9    -55 57 00
Abell 1689                       = 13 11 29.5    -01 20 17
Abell 2744, Pandora's Cluster    = 00 14 19.5    -30 23 19
""",
    ("Field", "centre of the observations"): """
Hubble Deep Field, HDF, HDF-N    = 12 36 49.4    +62 12 58
Hubble Ultra Deep Field, HUDF    = 03 32 39.0    -27 47 29
COSMOS, COSMOS field             = 10 00 28.6    +02 12 21
GOODS-N                          = 12 36 55      +62 14 15
GOODS-S                          = 03 32 30      -27 48 20
North Galactic Pole, NGP         = 12 51 26.275  +27 07 41.70
South Galactic Pole, SGP         = 00 51 26.275  -27 07 41.70
""",
}

OTHER_NAMES: dict[str, str] = {
    "Virgo A": "M 87", "3C 274": "M 87", "M 87*": "M 87", "3C 84": "NGC 1275", "Cen A": "NGC 5128",
    "3C 144": "M 1", "Tau A": "M 1", "Taurus A": "M 1", "LMC": "ESO 56-115", "SMC": "NGC 292",
    "Vir A": "M 87", "For A": "NGC 1316", "Per A": "NGC 1275", "Triangulum": "M 33", "Andromeda": "M 31",
    "Andromeda Nebula": "M 31", "Pinwheel Galaxy": "M 101", "47 Tuc": "NGC 104", "47 Tucanae": "NGC 104",
    "ome Cen": "NGC 5139", "30 Dor": "NGC 2070", "Beehive Cluster": "M 44", "Praesepe": "M 44",
    "Sculptor Galaxy": "NGC 253", "Hercules Cluster": "M 13", "Double Cluster": "C 14",
    "h and chi Persei": "C 14", "Owl Nebula": "M 97", "Seven Sisters": "M 45", "Wild Duck Cluster": "M 11",
}  # fmt: skip
"""Names in use that OpenNGC does not have, and the designation of what they mean."""


def famous_sources() -> Iterator[NamedObject]:
    """Yield the sources."""
    for (kind, source), lines in _SOURCES.items():
        for line in lines.strip().splitlines():
            names, _, place = line.partition("=")
            name, *aliases = (part.strip() for part in names.split(","))
            hours, minutes, seconds, degrees, arcmin, arcsec = place.split()
            ra = 15 * (float(hours) + float(minutes) / 60 + float(seconds) / 3600)
            dec = abs(float(degrees)) + float(arcmin) / 60 + float(arcsec) / 3600
            dec = -dec if degrees.startswith("-") else dec
            yield NamedObject(name, ra, dec, kind, tuple(aliases), source)
