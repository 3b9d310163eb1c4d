"""What operators read about a lock itself, as in ``sentences``; each incident has facts of its own, and an end."""

from __future__ import annotations

from notifications.languages import ENGLISH, PORTUGUESE
from notifications.models import Notice
from notifications.words import Words

L = Notice.Level

LOCKS: dict[str, Words] = {
    "lock_battery_low": Words(
        L.WARNING,
        {ENGLISH: "Change the batteries", PORTUGUESE: "Troque as pilhas"},
        {
            ENGLISH: "{stay}: the battery is at {percent} % and will last until about {need_at}. {turnover}",
            PORTUGUESE: "{stay}: a bateria está em {percent} % e deve durar até cerca de {need_at}. {turnover}",
        },
    ),
    "lock_battery_low_over": Words(
        L.INFO,
        {ENGLISH: "Batteries changed", PORTUGUESE: "Pilhas trocadas"},
        {
            ENGLISH: "{stay}: the battery is in order again; it was low since {since}.",
            PORTUGUESE: "{stay}: a bateria está em ordem de novo; estava fraca desde {since}.",
        },
    ),
    "lock_silent": Words(
        L.CRITICAL,
        {ENGLISH: "A lock is silent before an arrival", PORTUGUESE: "Fechadura sem sinal antes de uma chegada"},
        {
            ENGLISH: "{stay}: nothing was heard of the lock since {since}, and the guest who arrives on {need_at} has "
            "no PIN on it yet. Touch its keypad, look at its batteries, gateway and Wi-Fi. {turnover}",
            PORTUGUESE: "{stay}: a fechadura não dá sinal desde {since}, e o hóspede que chega em {need_at} ainda não "
            "tem PIN nela. Toque no teclado e verifique as pilhas, o gateway e o Wi-Fi. {turnover}",
        },
    ),
    "lock_silent_over": Words(
        L.INFO,
        {ENGLISH: "A lock is heard again", PORTUGUESE: "A fechadura voltou a dar sinal"},
        {
            ENGLISH: "{stay}: the lock gives signs of life again; it had been silent since {since}.",
            PORTUGUESE: "{stay}: a fechadura voltou a dar sinal; estava em silêncio desde {since}.",
        },
    ),
    "lock_tamper": Words(
        L.CRITICAL,
        {ENGLISH: "Alarm at a door", PORTUGUESE: "Alarme em uma porta"},
        {
            ENGLISH: "{stay}: on {at} the lock reported that {what}. Call the guest or send somebody there.",
            PORTUGUESE: "{stay}: em {at} a fechadura informou que {what}. Ligue para o hóspede ou mande alguém "
            "ao local.",
        },
    ),
    "lock_tamper_over": Words(
        L.INFO,
        {ENGLISH: "Alarm at a door is over", PORTUGUESE: "Fim do alarme em uma porta"},
        {
            ENGLISH: "{stay}: no further alarm since; it began on {since}.",
            PORTUGUESE: "{stay}: não houve outro alarme; começou em {since}.",
        },
    ),
    "lock_wrong_pins": Words(
        L.WARNING,
        {ENGLISH: "Wrong PINs, again and again", PORTUGUESE: "PINs errados, várias vezes"},
        {
            ENGLISH: "{stay}: {count} wrong PINs within a quarter of an hour, from {at}. If a guest is arriving, call "
            "them: they may be typing an old code. If nobody is expected, somebody may be trying to get in.",
            PORTUGUESE: "{stay}: {count} PINs errados em um quarto de hora, a partir de {at}. Se um hóspede está "
            "chegando, ligue: talvez esteja digitando um código antigo. Se ninguém é esperado, alguém pode estar "
            "tentando entrar.",
        },
    ),
    "lock_wrong_pins_over": Words(
        L.INFO,
        {ENGLISH: "No more wrong PINs", PORTUGUESE: "Sem novos PINs errados"},
        {
            ENGLISH: "{stay}: no further wrong PINs; they began on {since}.",
            PORTUGUESE: "{stay}: não houve outros PINs errados; começaram em {since}.",
        },
    ),
    "lock_clock": Words(
        L.CRITICAL,
        {ENGLISH: "A lock's clock seems wrong", PORTUGUESE: "O relógio de uma fechadura parece errado"},
        {
            ENGLISH: "{stay}: {what}. Open the lock in its app with somebody at the door and sync its time, then have "
            "a PIN tried. Until then be ready to let guests in.",
            PORTUGUESE: "{stay}: {what}. Abra a fechadura no aplicativo com alguém junto à porta e sincronize o "
            "horário; depois peça que testem um PIN. Até lá, esteja pronto para abrir a porta para os hóspedes.",
        },
    ),
    "lock_clock_over": Words(
        L.INFO,
        {ENGLISH: "A lock's clock seems right again", PORTUGUESE: "O relógio da fechadura parece certo de novo"},
        {
            ENGLISH: "{stay}: nothing speaks for a wrong clock any more; it had seemed wrong since {since}.",
            PORTUGUESE: "{stay}: nada mais indica um relógio errado; parecia errado desde {since}.",
        },
    ),
}
