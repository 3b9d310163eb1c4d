"""The JSON in which Stays shows things: full and short reservations, guests, listings, and webhook payloads."""

from __future__ import annotations

from sandbox.stays_account import LISTINGS, Account, Guest, Listing, Reservation

Json = dict[str, object]


def short_reservation(account: Account, reservation: Reservation) -> Json:
    """As searches and webhooks show it: head counts, but no names. Wall-clock times without a zone, as in life."""
    shown: Json = {
        "_id": reservation.key,
        "id": reservation.short,
        "creationDate": reservation.creation_date,
        "checkInDate": reservation.check_in_date,
        "checkInTime": reservation.check_in_time,
        "checkOutDate": reservation.check_out_date,
        "checkOutTime": reservation.check_out_time,
        "_idlisting": reservation.listing,
        "type": reservation.type,
        "price": {"currency": "BRL", "_f_expected": 840.0, "_f_total": 840.0},
        "stats": {"_f_totalPaid": 0.0},
        "guests": reservation.adults + reservation.children,
        "guestsDetails": {"adults": reservation.adults, "children": reservation.children, "infants": 0},
    }
    if reservation.guest in account.guests:
        shown["_idclient"] = reservation.guest
    if reservation.partner_code:
        shown["partner"] = {"_id": "6908f6db0000000000000099", "name": "API airbnb"}
        shown["partnerCode"] = reservation.partner_code
    return shown


def full_reservation(account: Account, reservation: Reservation) -> Json:
    guest = account.guests.get(reservation.guest)
    heads: Json = {"adults": reservation.adults, "children": reservation.children, "infants": 0}
    return {
        **short_reservation(account, reservation),
        "operator": {"_id": "6908f6db0000000000000001", "name": "StaysBot"},
        "guestsDetails": {**heads, "list": _people(reservation, guest) if guest else []},
        "reservationUrl": f"https://sandbox.stays.example/i/account-overview?reserve={reservation.short}",
    }


def _people(reservation: Reservation, guest: Guest) -> list[Json]:
    first: Json = {"type": "adult", "name": guest.name, "_idcontact": guest.key, "primary": True}
    if guest.phone:
        first["phones"] = _phones(guest)
    others = [("adult", number) for number in range(1, reservation.adults)]
    others += [("child", number) for number in range(1, reservation.children + 1)]
    placeholders: list[Json] = [{"type": kind, "name": f"{kind}_{number}"} for kind, number in others]
    return [first, *placeholders]


def _phones(guest: Guest) -> list[Json]:
    return [{"iso": guest.phone, "hint": "Sandbox"}]


def client(guest: Guest) -> Json:
    """Everything but the name may be missing, as with guests of the big channels."""
    first_name, _, last_name = guest.name.partition(" ")
    shown: Json = {
        "_id": guest.key,
        "kind": "person",
        "name": guest.name,
        "fName": first_name,
        "lName": last_name,
        "isUser": False,
        "creationDate": guest.creation_date,
        "clientSource": "website",
    }
    if guest.email:
        shown |= {"email": guest.email, "contactEmails": [{"adr": guest.email, "type": "main"}]}
    if guest.phone:
        shown["phones"] = _phones(guest)
    if guest.language:
        shown["prefLang"] = guest.language
    return shown


def listing(place: Listing) -> Json:
    return {
        "_id": place.key,
        "id": place.short,
        "internalName": place.name,
        "status": "active",
        "subtype": "entire_home",
        "_mstitle": {"pt_BR": place.name, "en_US": place.name},
        "address": {"countryCode": "BR", "stateCode": place.state_code, "city": place.city},
        "latLng": {"_f_lat": place.at[0], "_f_lng": place.at[1]},
        "instantBooking": True,
        "deff_curr": "BRL",
        "_i_maxGuests": 4,
    }


def booking_settings(place: Listing) -> Json:
    return {
        "checkInTime": place.check_in_time,
        "checkInTimeEnd": "22:00",
        "checkOutTime": place.check_out_time,
        "instantBooking": True,
    }


def deleted(reservation: Reservation) -> Json:
    """`reservation.deleted` has a shape of its own: no short id, no type, and the dates under other names."""
    return {
        "_id": reservation.key,
        "_idlisting": reservation.listing,
        "from": reservation.check_in_date,
        "to": reservation.check_out_date,
    }


def for_the_page(account: Account, reservation: Reservation) -> Json:
    """A full reservation with the guest's e-mail beside it, which Stays itself keeps in the client only."""
    guest = account.guests.get(reservation.guest)
    place = next(place for place in LISTINGS if place.key == reservation.listing)
    shown = client(guest) if guest else None
    return {**full_reservation(account, reservation), "listingName": place.name, "client": shown}
