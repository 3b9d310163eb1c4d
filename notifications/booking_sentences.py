"""What operators read about guests and bookings, as in ``sentences``: whom no message reaches, what the sources say."""

from __future__ import annotations

from notifications.languages import ENGLISH, PORTUGUESE
from notifications.models import Notice
from notifications.words import Words

L = Notice.Level

BOOKINGS: dict[str, Words] = {
    "guest_without_email": Words(
        L.CRITICAL,
        {ENGLISH: "Guest without e-mail", PORTUGUESE: "Hóspede sem e-mail"},
        {
            ENGLISH: "{stay}: the guest has no usable e-mail address and was not told. "
            "Enter the address on the reservation, here or in Stays, and the message goes out by itself.",
            PORTUGUESE: "{stay}: o hóspede não tem um e-mail válido e não foi avisado. "
            "Cadastre o e-mail na reserva, aqui ou na Stays, e a mensagem será enviada automaticamente.",
        },
    ),
    "guest_unreachable": Words(
        L.CRITICAL,
        {ENGLISH: "Guest's e-mail address refused", PORTUGUESE: "E-mail do hóspede recusado"},
        {
            ENGLISH: "{stay}: the guest was not told, the address does not take mail. {detail} "
            "Correct the address on the reservation, and the message goes out by itself.",
            PORTUGUESE: "{stay}: o hóspede não foi avisado, o endereço não recebe e-mails. {detail} "
            "Corrija o e-mail na reserva e a mensagem será enviada automaticamente.",
        },
    ),
    "guest_not_told": Words(
        L.CRITICAL,
        {ENGLISH: "Guest not told yet", PORTUGUESE: "Hóspede ainda não avisado"},
        {
            ENGLISH: "{stay}: the e-mail to the guest has not gone out after several tries. {detail} "
            "The tries go on until check-out. Look at the mail settings (EMAIL_URL); call the guest if it is urgent.",
            PORTUGUESE: "{stay}: o e-mail para o hóspede ainda não saiu depois de várias tentativas. {detail} "
            "As tentativas continuam até o check-out. Verifique a configuração de e-mail (EMAIL_URL); "
            "se for urgente, ligue para o hóspede.",
        },
    ),
    "pin_erased": Words(
        L.CRITICAL,
        {ENGLISH: "PIN can no longer be read", PORTUGUESE: "O PIN não pode mais ser lido"},
        {
            ENGLISH: "{stay}: the guest should be told the PIN, but its readable copy was erased after it was "
            "delivered (PIN_KEEP=delivered). Give the stay a new PIN, or ask the guest to look at the first message.",
            PORTUGUESE: "{stay}: o hóspede deveria receber o PIN, mas a cópia legível foi apagada depois da entrega "
            "(PIN_KEEP=delivered). Gere um novo PIN ou peça ao hóspede que procure a primeira mensagem.",
        },
    ),
    "source_silent": Words(
        L.WARNING,
        {ENGLISH: "A source of bookings is silent", PORTUGUESE: "Uma fonte de reservas está em silêncio"},
        {
            ENGLISH: "{stay}: {detail} Bookings may be missing. Check its address and login, and whether the link for "
            "notifications in Stays is still set.",
            PORTUGUESE: "{stay}: {detail} Podem faltar reservas. Verifique o endereço e o login, e se o link de "
            "notificações na Stays continua configurado.",
        },
    ),
    "listing_unknown": Words(
        L.CRITICAL,
        {ENGLISH: "Booking for an unknown listing", PORTUGUESE: "Reserva para um anúncio desconhecido"},
        {
            ENGLISH: "{stay}: no unit is mapped to this listing, so the guest gets no PIN. Map it under Listings; what "
            "waits then goes through by itself.",
            PORTUGUESE: "{stay}: nenhuma acomodação está ligada a este anúncio, e o hóspede não recebe PIN. Ligue-o em "
            "Anúncios; o que espera segue sozinho.",
        },
    ),
    "stay_vanished": Words(
        L.CRITICAL,
        {
            ENGLISH: "A stay is gone from its feed on the day of arrival",
            PORTUGUESE: "Uma reserva sumiu do calendário no dia da chegada",
        },
        {
            ENGLISH: "{stay}: the iCal feed no longer shows it. The PIN stays. If it was cancelled, press “Revoke PINs "
            "now” on the reservation.",
            PORTUGUESE: "{stay}: o calendário iCal não a mostra mais. O PIN continua. Se foi cancelada, use “Revogar "
            "PINs agora” na reserva.",
        },
    ),
    "stays_overlap": Words(
        L.CRITICAL,
        {ENGLISH: "Double booking", PORTUGUESE: "Reserva duplicada"},
        {
            ENGLISH: "{stay} overlaps with {detail}\nEach guest gets a PIN of their own. "
            "Move or cancel one of the stays in Stays.",
            PORTUGUESE: "{stay} coincide com {detail}\nCada hóspede recebe o próprio PIN. "
            "Mude ou cancele uma das reservas na Stays.",
        },
    ),
}
