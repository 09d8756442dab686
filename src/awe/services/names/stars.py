"""Bright stars with proper names, from ephem: the one place that imports it.

Its positions are Hipparcos', brought to epoch J2000 (a few milliarcseconds). What ephem does not have,
the designations of Bayer and Flamsteed, stands here.
"""

import math
from collections.abc import Iterator
from importlib import import_module

from awe.services.names.model import NamedObject

__all__ = ["bright_stars"]

_SOURCE = "Hipparcos (ephem)"
# Proper name: other spellings, then Bayer and Flamsteed designations.
_DESIGNATIONS = """
Acamar: tet1 Eri, tet Eri| Achernar: alf Eri| Acrux: alf Cru, alf1 Cru| Adhara: Adara, eps CMa, 21 CMa|
Hadar: Agena, bet Cen| Albireo: Albereo, bet Cyg, bet1 Cyg, 6 Cyg| Alkaid: Alcaid, Benetnasch, eta UMa, 85 UMa|
Alcor: 80 UMa| Alcyone: eta Tau, 25 Tau| Aldebaran: alf Tau, 87 Tau| Alderamin: alf Cep, 5 Cep|
Alfirk: bet Cep, 8 Cep| Algenib: gam Peg, 88 Peg| Algieba: gam Leo, gam1 Leo, 41 Leo| Algol: bet Per, 26 Per|
Alhena: gam Gem, 24 Gem| Alioth: eps UMa, 77 UMa| Almach: gam And, gam1 And, 57 And| Alnair: alf Gru|
Alnilam: eps Ori, 46 Ori| Alnitak: zet Ori, 50 Ori| Alphard: alf Hya, 30 Hya|
Alphecca: Gemma, alf CrB, 5 CrB| Alpheratz: Sirrah, alf And, 21 And| Alshain: bet Aql, 60 Aql|
Altair: alf Aql, 53 Aql| Ankaa: alf Phe| Antares: alf Sco, 21 Sco| Arcturus: alf Boo, 16 Boo|
Arkab Posterior: bet2 Sgr| Arkab Prior: bet1 Sgr| Arneb: alf Lep, 11 Lep| Atlas: 27 Tau| Atria: alf TrA|
Avior: eps Car| Bellatrix: gam Ori, 24 Ori| Betelgeuse: alf Ori, 58 Ori| Canopus: alf Car|
Capella: alf Aur, 13 Aur| Caph: bet Cas, 11 Cas| Castor: alf Gem, 66 Gem| Cebalrai: bet Oph, 60 Oph|
Deneb: alf Cyg, 50 Cyg| Denebola: bet Leo, 94 Leo| Diphda: Deneb Kaitos, bet Cet, 16 Cet|
Dubhe: alf UMa, 50 UMa| Electra: 17 Tau| Elnath: bet Tau, 112 Tau| Eltanin: Etamin, gam Dra, 33 Dra|
Enif: eps Peg, 8 Peg| Fomalhaut: Formalhaut, alf PsA, 24 PsA| Gacrux: gam Cru|
Gienah: Gienah Corvi, gam Crv, 4 Crv| Hamal: alf Ari, 13 Ari| Izar: eps Boo, 36 Boo|
Kaus Australis: eps Sgr, 20 Sgr| Kochab: bet UMi, 7 UMi| Maia: 20 Tau| Markab: alf Peg, 54 Peg|
Megrez: del UMa, 69 UMa| Menkalinan: bet Aur, 34 Aur| Menkar: alf Cet, 92 Cet| Menkent: tet Cen, 5 Cen|
Merak: bet UMa, 48 UMa| Merope: 23 Tau| Miaplacidus: bet Car| Mimosa: Becrux, bet Cru| Minkar: eps Crv, 2 Crv|
Mintaka: del Ori, 34 Ori| Mirach: bet And, 43 And| Mirfak: alf Per, 33 Per| Mirzam: bet CMa, 2 CMa|
Mizar: zet UMa, zet1 UMa, 79 UMa| Naos: zet Pup| Nihal: bet Lep, 9 Lep| Nunki: sig Sgr, 34 Sgr|
Peacock: alf Pav| Phecda: gam UMa, 64 UMa| Polaris: North Star, alf UMi, 1 UMi| Pollux: bet Gem, 78 Gem|
Procyon: alf CMi, 10 CMi| Rasalgethi: alf Her, alf1 Her, 64 Her| Rasalhague: alf Oph, 55 Oph|
Regulus: alf Leo, 32 Leo| Rigel: bet Ori, 19 Ori| Rigil Kentaurus: Rigil Kent, alf Cen, alf1 Cen, alf Cen A|
Rukbat: alf Sgr| Sabik: eta Oph, 35 Oph| Sadalmelik: alf Aqr, 34 Aqr| Sadr: gam Cyg, 37 Cyg|
Saiph: kap Ori, 53 Ori| Scheat: bet Peg, 53 Peg| Schedar: alf Cas, 18 Cas| Shaula: lam Sco, 35 Sco|
Sheliak: bet Lyr, 10 Lyr| Sirius: alf CMa, 9 CMa| Spica: alf Vir, 67 Vir| Suhail: lam Vel|
Sulafat: gam Lyr, 14 Lyr| Tarazed: gam Aql, 50 Aql| Taygeta: 19 Tau| Thuban: alf Dra, 11 Dra|
Unukalhai: alf Ser, 24 Ser| Vega: alf Lyr, 3 Lyr| Vindemiatrix: eps Vir, 47 Vir| Wezen: del CMa, 25 CMa|
Zaurak: gam Eri, 34 Eri| Zubenelgenubi: alf Lib, alf2 Lib, 9 Lib
"""


def bright_stars() -> Iterator[NamedObject]:
    """Yield the stars."""
    stars = import_module("ephem.stars").stars  # when it is asked for, not when the service starts
    for line in _DESIGNATIONS.split("|"):
        name, _, others = (part.strip() for part in line.partition(":"))
        star = stars[name]
        ra, dec = (math.degrees(angle) for angle in (star._ra, star._dec))  # noqa: SLF001  # so ephem names them
        yield NamedObject(name, ra, dec, "Star", tuple(alias.strip() for alias in others.split(",")), _SOURCE)
