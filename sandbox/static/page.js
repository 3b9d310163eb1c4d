// Brings the parts together and keeps them fresh.

import { Desk } from "./desk.js";
import { DoorCard } from "./doors.js";
import { call } from "./kit.js";
import { Mailbox } from "./mail.js";

const EVERY_MS = 2000;

const cards = [...document.querySelectorAll("[data-door]")].map((card) => new DoorCard(card));
const desk = new Desk();
const mailbox = new Mailbox();
const lost = document.querySelector("[data-lost]");

async function read() {
  const paths = ["/sandbox/doors?detail=1", "/sandbox/stays/reservations", "/sandbox/stays/webhooks", "/sandbox/messages"];
  try {
    const answers = await Promise.all(paths.map((path) => call("GET", path)));
    lost.hidden = true;
    return answers;
  } catch {
    lost.hidden = false;
    return null;
  }
}

async function refresh() {
  const answers = await read();
  if (!answers) return;
  const [doors, stays, webhooks, messages] = answers;
  const byId = new Map(doors.map((door) => [door.device_id, door]));
  cards.forEach((card) => card.update(byId.get(card.id)));
  desk.drawStays(stays);
  desk.drawWebhooks(webhooks);
  mailbox.update(messages);
}

async function keepFresh() {
  if (!document.hidden) await refresh();
  setTimeout(keepFresh, EVERY_MS);
}

document.addEventListener("refresh", refresh);
document.addEventListener("visibilitychange", () => !document.hidden && refresh());
keepFresh();
