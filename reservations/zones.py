"""Which time zone a listing is probably in, and why. Pure; a person decides.

Brazil has four offsets, and Stays tells no zone: the state decides, except in Amazonas (its far south-west keeps the
time of Acre) and Pernambuco (Fernando de Noronha), where the place or the coordinates do.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass

Point = tuple[float, float]
ACRE, MANAUS, NORONHA, SAO_PAULO = "America/Rio_Branco", "America/Manaus", "America/Noronha", "America/Sao_Paulo"
STATES = {
    "AC": ACRE, "AL": "America/Maceio", "AM": MANAUS, "AP": "America/Belem", "BA": "America/Bahia",
    "CE": "America/Fortaleza", "DF": SAO_PAULO, "ES": SAO_PAULO, "GO": SAO_PAULO, "MA": "America/Fortaleza",
    "MG": SAO_PAULO, "MS": "America/Campo_Grande", "MT": "America/Cuiaba", "PA": "America/Belem",
    "PB": "America/Fortaleza", "PE": "America/Recife", "PI": "America/Fortaleza", "PR": SAO_PAULO, "RJ": SAO_PAULO,
    "RN": "America/Fortaleza", "RO": "America/Porto_Velho", "RR": "America/Boa_Vista", "RS": SAO_PAULO,
    "SC": SAO_PAULO, "SE": "America/Maceio", "SP": SAO_PAULO, "TO": "America/Araguaina",
    "FN": NORONHA,
}  # fmt: skip
NAMES = {
    "acre": "AC", "alagoas": "AL", "amazonas": "AM", "amapa": "AP", "bahia": "BA", "ceara": "CE",
    "distrito federal": "DF", "espirito santo": "ES", "goias": "GO", "maranhao": "MA", "minas gerais": "MG",
    "mato grosso do sul": "MS", "mato grosso": "MT", "para": "PA", "paraiba": "PB", "pernambuco": "PE", "piaui": "PI",
    "parana": "PR", "rio de janeiro": "RJ", "rio grande do norte": "RN", "rondonia": "RO", "roraima": "RR",
    "rio grande do sul": "RS", "santa catarina": "SC", "sergipe": "SE", "sao paulo": "SP", "tocantins": "TO",
    "fernando de noronha": "FN",
}  # fmt: skip
# Amazonas west of the line from Tabatinga to Porto Acre: its towns, and the ends of the line.
EIRUNEPE = {"atalaia do norte", "benjamin constant", "boca do acre", "eirunepe", "envira", "guajara", "ipixuna",
            "itamarati", "pauini", "sao paulo de olivenca", "tabatinga"}  # fmt: skip
TABATINGA, PORTO_ACRE = (-4.23, -69.94), (-9.59, -67.53)
FERNANDO = (-3.85, -32.42)
# One point per zone in the interior of each part, for listings that tell no state.
POINTS = {
    (-3.85, -32.42): NORONHA, (-9.97, -67.81): ACRE, (-7.63, -72.67): ACRE, (-3.12, -60.02): MANAUS,
    (-0.13, -67.09): MANAUS, (-3.35, -64.71): MANAUS, (-7.51, -63.02): MANAUS, (2.82, -60.67): STATES["RR"],
    (-8.76, -63.90): STATES["RO"], (-12.74, -60.15): STATES["RO"], (-15.60, -56.10): STATES["MT"],
    (-11.86, -55.51): STATES["MT"], (-15.89, -52.26): STATES["MT"], (-20.44, -54.65): STATES["MS"],
    (-19.01, -57.65): STATES["MS"], (-20.79, -51.70): STATES["MS"], (-1.46, -48.50): STATES["PA"],
    (-2.44, -54.71): STATES["PA"], (0.03, -51.07): STATES["AP"], (-10.18, -48.33): STATES["TO"],
    (-2.53, -44.30): STATES["MA"], (-5.09, -42.80): STATES["PI"], (-3.73, -38.53): STATES["CE"],
    (-5.79, -35.21): STATES["RN"], (-7.12, -34.86): STATES["PB"], (-8.05, -34.88): STATES["PE"],
    (-9.67, -35.74): STATES["AL"], (-10.91, -37.07): STATES["SE"], (-12.97, -38.50): STATES["BA"],
    (-12.15, -44.99): STATES["BA"], (-16.44, -39.06): STATES["BA"], (-16.69, -49.25): SAO_PAULO,
    (-15.79, -47.88): SAO_PAULO, (-19.92, -43.94): SAO_PAULO, (-20.32, -40.34): SAO_PAULO,
    (-22.91, -43.17): SAO_PAULO, (-23.55, -46.63): SAO_PAULO, (-20.81, -49.38): SAO_PAULO,
    (-25.43, -49.27): SAO_PAULO, (-24.96, -53.46): SAO_PAULO, (-27.60, -48.55): SAO_PAULO,
    (-30.03, -51.23): SAO_PAULO, (-29.75, -57.09): SAO_PAULO,
}  # fmt: skip
FAR = 6.0  # degrees from all of them: somewhere else


@dataclass(frozen=True)
class Proposal:
    """A zone and the reason for it; no zone when nothing can be said."""

    zone: str = ""
    reason: str = ""


def propose(
    *, country: str = "", state: str = "", city: str = "", latitude: float | None = None, longitude: float | None = None
) -> Proposal:
    """From an address and coordinates as Stays gives them; any of them may be missing or odd."""
    country, city = _plain(country), _plain(city)
    if country and country not in ("br", "bra", "brasil", "brazil"):
        return Proposal("", f"{country.upper()} is not Brazil: choose the zone")
    at = _on_earth(latitude, longitude)
    code = state.strip().upper() if state.strip().upper() in STATES else NAMES.get(_plain(state), "")
    if "noronha" in city or (at and code in ("", "PE", "FN") and math.dist(FERNANDO, at) < 1):
        return Proposal(NORONHA, "Fernando de Noronha")
    if code == "AM" and (city in EIRUNEPE or (at and _west_of_the_line(*at))):
        return Proposal("America/Eirunepe", "western Amazonas, by the time of Acre: check it")
    if code:
        return _with_doubt(Proposal(STATES[code], f"state {code}"), at)
    return _by_point(at) if at else Proposal("", "neither state nor coordinates: choose the zone")


def _with_doubt(proposal: Proposal, at: Point | None) -> Proposal:
    if at is not None and not _nearest(at)[1]:
        return Proposal(proposal.zone, f"{proposal.reason}, but the coordinates are elsewhere")
    return proposal


def _by_point(at: Point) -> Proposal:
    zone, near = _nearest(at)
    return Proposal(zone, "coordinates only") if near else Proposal("", "the coordinates are not in Brazil")


def _nearest(at: Point) -> tuple[str, bool]:
    distance, zone = min((math.dist(point, at), zone) for point, zone in POINTS.items())
    return zone, distance <= FAR


def _west_of_the_line(latitude: float, longitude: float) -> bool:
    """The line by law of 2008 and 2013 from Tabatinga to Porto Acre divides Amazonas."""
    (north, west), (south, east) = TABATINGA, PORTO_ACRE
    share = (latitude - north) / (south - north)
    return share >= 0 and longitude < west + share * (east - west)


def _on_earth(latitude: float | None, longitude: float | None) -> Point | None:
    """(0, 0) is what programs write when they do not know."""
    if latitude is None or longitude is None or not (math.isfinite(latitude) and math.isfinite(longitude)):
        return None
    there = abs(latitude) <= 90 and abs(longitude) <= 180 and (latitude, longitude) != (0, 0)
    return (latitude, longitude) if there else None


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.strip().lower())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))
