"""Words of star names: Greek letters and constellations in every spelling, and their abbreviations."""

__all__ = ["CONSTELLATIONS", "GREEK"]

# The abbreviation that SIMBAD uses, the letter's name, the letter, further abbreviations.
_LETTERS = """
alf alpha α alp | bet beta β | gam gamma γ | del delta δ | eps epsilon ε | zet zeta ζ | eta η | tet theta θ the |
iot iota ι | kap kappa κ | lam lambda λ | mu μ | nu ν | ksi xi ξ | omi omicron ο | pi π | rho ρ | sig sigma σ ς |
tau τ | ups upsilon υ | phi φ | chi χ | psi ψ | ome omega ω
"""
GREEK: dict[str, str] = {
    spelling: words.split()[0] for words in _LETTERS.split("|") for spelling in words.split()
}
"""Every spelling of a Greek letter, and its abbreviation."""

# The 88 constellations: abbreviation, genitive, and the nominative where people use it for a star or galaxy.
_GENITIVES = """
and andromedae | ant antliae | aps apodis | aqr aquarii | aql aquilae | ara arae | ari arietis | aur aurigae |
boo bootis boötis | cae caeli | cam camelopardalis | cnc cancri | cvn canum_venaticorum | cma canis_majoris |
cmi canis_minoris | cap capricorni | car carinae | cas cassiopeiae | cen centauri | cep cephei | cet ceti |
cha chamaeleontis | cir circini | col columbae | com comae_berenices comae | cra coronae_australis |
crb coronae_borealis | crv corvi | crt crateris | cru crucis | cyg cygni | del delphini | dor doradus |
dra draconis | equ equulei | eri eridani | for fornacis | gem geminorum | gru gruis | her herculis |
hor horologii | hya hydrae | hyi hydri | ind indi | lac lacertae | leo leonis | lmi leonis_minoris | lep leporis |
lib librae | lup lupi | lyn lyncis | lyr lyrae | men mensae | mic microscopii | mon monocerotis | mus muscae |
nor normae | oct octantis | oph ophiuchi | ori orionis | pav pavonis | peg pegasi | per persei | phe phoenicis |
pic pictoris | psc piscium | psa piscis_austrini | pup puppis | pyx pyxidis | ret reticuli | sge sagittae |
sgr sagittarii | sco scorpii | scl sculptoris | sct scuti | ser serpentis | sex sextantis | tau tauri |
tel telescopii | tri trianguli | tra trianguli_australis | tuc tucanae | uma ursae_majoris | umi ursae_minoris |
vel velorum | vir virginis | vol volantis | vul vulpeculae
"""
CONSTELLATIONS: dict[str, str] = {
    spelling.replace("_", " "): words.split()[0]
    for words in _GENITIVES.split("|")
    for spelling in words.split()
}
"""Every spelling of a constellation in a star's name, and its abbreviation."""
