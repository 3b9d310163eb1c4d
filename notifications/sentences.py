"""What operators read: per notice a level and, in each language, a title and the text (what, where, what to do).

``{stay}`` names the stay (or the lock, where a notice is about one), ``{door}`` the door (where a job is about one),
``{detail}`` what the machine knows more (``notifications.details``). About a lock itself: ``lock_sentences``; about
guests and bookings: ``booking_sentences``.
"""

from __future__ import annotations

from notifications.booking_sentences import BOOKINGS
from notifications.languages import ENGLISH, PORTUGUESE
from notifications.lock_sentences import LOCKS
from notifications.models import Notice
from notifications.words import Words

L = Notice.Level


# What brings a lock back that does not answer: one that sleeps is woken, one behind a gateway needs the gateway.
WAKE = {
    ENGLISH: "Have somebody wake the lock (touch its keypad)",
    PORTUGUESE: "Peça a alguém que acorde a fechadura (basta tocar no teclado)",
}
GATEWAY = {
    ENGLISH: "Have the gateway of this door brought back (its power and network), and the lock's battery checked",
    PORTUGUESE: "Peça que religuem o gateway desta porta (energia e rede) e verifiquem as pilhas da fechadura",
}

NOTICES: dict[str, Words] = {
    **LOCKS,
    **BOOKINGS,
    "queue_paused": Words(
        L.CRITICAL,
        {ENGLISH: "Work waits in a paused queue", PORTUGUESE: "Há trabalho esperando em uma fila pausada"},
        {
            ENGLISH: "The queue “{stay}” is paused since {since} (by {who}), and due jobs wait in it: {waiting}. "
            "{detail} If that is no longer wanted, press “Resume” on its page under Queues, "
            "or run “manage.py resume_queue {stay}”.",
            PORTUGUESE: "A fila “{stay}” está pausada desde {since} (por {who}), e há tarefas vencidas esperando nela: "
            "{waiting}. {detail} Se isso não é mais desejado, use “Retomar” na página dela em Filas, "
            "ou execute “manage.py resume_queue {stay}”.",
        },
    ),
    "queue_paused_over": Words(
        L.INFO,
        {ENGLISH: "A queue goes on", PORTUGUESE: "Uma fila continua"},
        {
            ENGLISH: "The queue “{stay}” is no longer paused. Jobs that waited and start now: {waiting}.",
            PORTUGUESE: "A fila “{stay}” não está mais pausada. Tarefas que esperavam e começam agora: {waiting}.",
        },
    ),
    "account_paused": Words(
        L.CRITICAL,
        {ENGLISH: "No lock can be reached", PORTUGUESE: "Nenhuma fechadura responde"},
        {
            ENGLISH: "{stay}: no lock of this account can be reached. {detail} "
            "All jobs at doors wait and go on by themselves once it works again; it is tried every few minutes. "
            "Check the cloud plan, the access secret and the IP allow list of the Tuya project. "
            "PINs that are on the doors keep working.",
            PORTUGUESE: "{stay}: nenhuma fechadura desta conta responde. {detail} "
            "As tarefas nas portas aguardam e continuam sozinhas quando a conta voltar; há uma nova tentativa a cada "
            "poucos minutos. Verifique o plano, o segredo de acesso e a lista de IPs do projeto Tuya. "
            "Os PINs que já estão nas portas continuam valendo.",
        },
    ),
    "account_quota": Words(
        L.WARNING,
        {ENGLISH: "The month's calls are nearly used up", PORTUGUESE: "As chamadas do mês estão acabando"},
        {
            ENGLISH: "{stay}: {detail} Once the plan's quota is used up, no PIN can be set or removed. "
            "Extend the plan of the Tuya project before that.",
            PORTUGUESE: "{stay}: {detail} Quando a cota do plano acabar, nenhum PIN poderá ser criado nem removido. "
            "Amplie o plano do projeto Tuya antes disso.",
        },
    ),
    "door_pin_not_proven": Words(
        L.CRITICAL,
        {ENGLISH: "Door has not confirmed a PIN", PORTUGUESE: "Porta não confirmou o PIN"},
        {
            ENGLISH: "{stay}: the door has not confirmed the guest's PIN. {detail} "
            "Check the lock's battery and connection, and be ready to let the guest in.",
            PORTUGUESE: "{stay}: a porta não confirmou o PIN do hóspede. {detail} "
            "Verifique a bateria e a conexão da fechadura e esteja pronto para "
            "abrir a porta para o hóspede.",
        },
    ),
    "door_no_room": Words(
        L.CRITICAL,
        {ENGLISH: "No place left on a lock", PORTUGUESE: "Não há lugar na fechadura"},
        {
            ENGLISH: "{stay}: {detail} Nothing of ours on it can wait: all is for guests in house or soon to come. "
            "Delete codes in the lock's app that are not needed any longer. The tries go on.",
            PORTUGUESE: "{stay}: {detail} Nada do que é nosso nela pode esperar: tudo é de hóspedes na casa ou que "
            "chegam em breve. Apague no aplicativo da fechadura os códigos de que ninguém mais precisa. As tentativas "
            "continuam.",
        },
    ),
    "door_removal_overdue": Words(
        L.CRITICAL,
        {ENGLISH: "PIN still on the door", PORTUGUESE: "O PIN continua na porta"},
        {
            ENGLISH: "{stay}: the removal of the PIN is not confirmed yet. {detail} "
            "The tries go on. Check the lock's battery and connection, or delete the PIN in the Tuya app.",
            PORTUGUESE: "{stay}: a remoção do PIN ainda não foi confirmada. {detail} "
            "As tentativas continuam. Verifique a bateria e a conexão da fechadura ou apague o PIN no aplicativo Tuya.",
        },
    ),
    "door_digits_frozen": Words(
        L.CRITICAL,
        {ENGLISH: "A PIN in use cannot be extended", PORTUGUESE: "Um PIN em uso não pode ser prolongado"},
        {
            ENGLISH: "{stay}: the guest uses the PIN, and the lock cannot give it other times. {detail} It is put "
            "there anew the moment its first entry ends; if the lock does not take it, the guest is sent another code. "
            "To be safe, call the guest before and press “New PIN” on the stay's page: the old digits stop opening "
            "then.",
            PORTUGUESE: "{stay}: o hóspede já usa o PIN, e a fechadura não consegue dar a ele outros horários. "
            "{detail} Ele é gravado de novo no instante em que o primeiro registro termina; se a fechadura não "
            "aceitar, o hóspede recebe outro código. Para garantir, fale antes com o hóspede e use “Novo PIN” na "
            "página da estadia: os dígitos antigos deixam de abrir nesse momento.",
        },
    ),
    "no_way_in": Words(
        L.CRITICAL,
        {ENGLISH: "Guest without a way in", PORTUGUESE: "Hóspede sem como entrar"},
        {
            ENGLISH: "{stay}: {door} has not confirmed the guest's PIN, and there is no replacement: no proven backup "
            "PIN on the lock, and no offline code that is known to work. {detail} {rouse}, or call the guest and open: "
            "the phone number is on the stay's page. It is looked at again and again by itself.",
            PORTUGUESE: "{stay}: {door} não confirmou o PIN do hóspede e não há como substituí-lo: não há PIN reserva "
            "comprovado na fechadura nem código offline que comprovadamente funcione. {detail} {rouse} ou ligue para o "
            "hóspede e abra: o telefone está na página da estadia. As tentativas continuam automaticamente.",
        },
    ),
    "backup_handed_out": Words(
        L.WARNING,
        {ENGLISH: "Guest has a backup PIN", PORTUGUESE: "Hóspede recebeu o PIN reserva"},
        {
            ENGLISH: "{stay}: {door} did not confirm the guest's PIN in time, so the guest is told to use the lock's "
            "backup PIN there until {detail} The first PIN is withdrawn at this door. Nothing has to be done for the "
            "guest; look at the lock's battery and connection.",
            PORTUGUESE: "{stay}: {door} não confirmou o PIN do hóspede a tempo; o hóspede é avisado para usar nela o "
            "PIN reserva da fechadura até {detail} O primeiro PIN é retirado desta porta. Não é preciso fazer nada "
            "pelo hóspede; verifique a bateria e a conexão da fechadura.",
        },
    ),
    "offline_handed_out": Words(
        L.WARNING,
        {
            ENGLISH: "Guest has an offline code, which cannot be revoked",
            PORTUGUESE: "Hóspede recebeu um código offline, que não pode ser revogado",
        },
        {
            ENGLISH: "{stay}: {door} did not confirm the guest's PIN in time, so the guest is told an offline code "
            "for it. It cannot be revoked: it opens until {detail} The guest's PIN stays wanted and may start to "
            "work. Look at the lock's battery and connection.",
            PORTUGUESE: "{stay}: {door} não confirmou o PIN do hóspede a tempo; o hóspede recebe um código offline "
            "para ela. Ele não pode ser revogado: abre até {detail} O PIN do hóspede continua previsto e pode passar "
            "a funcionar. Verifique a bateria e a conexão da fechadura.",
        },
    ),
    "offline_stranded": Words(
        L.CRITICAL,
        {ENGLISH: "An offline code outlives its stay", PORTUGUESE: "Um código offline sobrevive à estadia"},
        {
            ENGLISH: "{stay}: the stay no longer has a right to {door}, but an offline code was given to the guest "
            "and cannot be revoked from here: it opens until {detail} If that must not be, make a clearing code in "
            "the Tuya app and type it at the lock.",
            PORTUGUESE: "{stay}: a estadia não tem mais direito a {door}, mas o hóspede recebeu um código offline que "
            "não pode ser revogado daqui: ele abre até {detail} Se isso não puder acontecer, gere um código de "
            "limpeza no aplicativo Tuya e digite-o na fechadura.",
        },
    ),
    "backup_failed": Words(
        L.WARNING,
        {ENGLISH: "No backup PIN on a lock", PORTUGUESE: "Fechadura sem PIN reserva"},
        {
            ENGLISH: "{stay}: its backup PIN could not be put in order, and it is not tried again by itself. {detail} "
            "Put right what it names, then press “Try again” under Failed jobs. Until then a guest whose PIN this lock "
            "does not take in time has no replacement.",
            PORTUGUESE: "{stay}: o PIN reserva não pôde ser preparado, e não haverá novas tentativas automáticas. "
            "{detail} Corrija o que está indicado e use “Tentar de novo” em Tarefas com falha. Até lá, um hóspede cujo "
            "PIN esta fechadura não receber a tempo não terá substituto.",
        },
    ),
    "job_failed.locks.fallback": Words(
        L.CRITICAL,
        {ENGLISH: "Nobody looks for a way in", PORTUGUESE: "Ninguém procura outra entrada"},
        {
            ENGLISH: "{stay}: {door} has not confirmed the guest's PIN, and no replacement is looked for any more. "
            "{detail} Put right what it names, then press “Try again” under Failed jobs. Be ready to let the guest in: "
            "the phone number is on the stay's page.",
            PORTUGUESE: "{stay}: {door} não confirmou o PIN do hóspede, e não se procura mais um substituto. {detail} "
            "Corrija o que está indicado e use “Tentar de novo” em Tarefas com falha. Esteja pronto para abrir a porta "
            "para o hóspede: o telefone está na página da estadia.",
        },
    ),
    "door": Words(
        L.CRITICAL,
        {ENGLISH: "A door needs help", PORTUGUESE: "Uma porta precisa de ajuda"},
        {
            ENGLISH: "{stay}: {detail} Look at the lock.",
            PORTUGUESE: "{stay}: {detail} Verifique a fechadura.",
        },
    ),
    "job_failed.locks.generate_pin": Words(
        L.CRITICAL,
        {ENGLISH: "No PIN on a door, and no further try", PORTUGUESE: "Porta sem PIN e sem novas tentativas"},
        {
            ENGLISH: "{stay}: the guest has no PIN on {door}, and it is not tried again by itself. {detail} "
            "Put right what it names, then press “Try again” under Failed jobs. Be ready to let the guest in.",
            PORTUGUESE: "{stay}: o hóspede não tem PIN em {door}, e não haverá novas tentativas automáticas. {detail} "
            "Corrija o que está indicado e use “Tentar de novo” em Tarefas com falha. "
            "Esteja pronto para abrir a porta para o hóspede.",
        },
    ),
    "job_failed.locks.change_window": Words(
        L.CRITICAL,
        {ENGLISH: "A PIN kept its old times", PORTUGUESE: "Um PIN ficou com os horários antigos"},
        {
            ENGLISH: "{stay}: on {door} the PIN still has the times from before the change, and it is not tried again "
            "by itself. {detail} Put right what it names, then press “Try again” under Failed jobs.",
            PORTUGUESE: "{stay}: em {door} o PIN ainda tem os horários de antes da mudança, e não haverá novas "
            "tentativas automáticas. {detail} Corrija o que está indicado e use “Tentar de novo” em Tarefas com falha.",
        },
    ),
    "job_failed.locks.revoke_pin": Words(
        L.CRITICAL,
        {ENGLISH: "A PIN may still open a door", PORTUGUESE: "Um PIN talvez ainda abra uma porta"},
        {
            ENGLISH: "{stay}: the PIN was not proven to be off {door}, and it is not tried again by itself. {detail} "
            "Delete the PIN in the Tuya app, or put right what is named and press “Try again” under Failed jobs.",
            PORTUGUESE: "{stay}: não há prova de que o PIN saiu de {door}, e não haverá novas tentativas automáticas. "
            "{detail} Apague o PIN no aplicativo Tuya ou corrija o que está indicado e use “Tentar de novo” em "
            "Tarefas com falha.",
        },
    ),
    "job_slowed": Words(
        L.CRITICAL,
        {ENGLISH: "A code may still open a door", PORTUGUESE: "Um código talvez ainda abra uma porta"},
        {
            ENGLISH: "{stay}: a code is to be taken off {door}, and each time the worker died over it; it is tried "
            "once an hour now. {detail} Delete the code in the lock maker's app, and show the workers' log to whoever "
            "looks after SmartLock.",
            PORTUGUESE: "{stay}: um código deve sair de {door}, e todas as vezes o processo de trabalho morreu com "
            "isso; agora há uma tentativa por hora. {detail} Apague o código no aplicativo do fabricante da fechadura "
            "e mostre o log dos workers a quem cuida do SmartLock.",
        },
    ),
    "job_failed": Words(
        L.WARNING,
        {ENGLISH: "A job was given up", PORTUGUESE: "Uma tarefa foi abandonada"},
        {
            ENGLISH: "{stay}: {detail} Put right what it names, then retry the job; it waits among the failed ones.",
            PORTUGUESE: "{stay}: {detail} Corrija o que ela indica e repita a tarefa, que espera entre as falhas.",
        },
    ),
}
MORE = {
    ENGLISH: "This is a message from SmartLock. Mark the notice as seen in the admin site; "
    "until then the same thing is not reported again.",
    PORTUGUESE: "Esta é uma mensagem do SmartLock. Marque o aviso como visto no site de administração; "
    "até lá o mesmo fato não é avisado de novo.",
}


def language(code: str) -> str:
    """The operators' language: Portuguese where the installation speaks it, else English."""
    return PORTUGUESE if code.lower().startswith("pt") else ENGLISH
