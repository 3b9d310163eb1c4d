// The mailbox: newest first, PINs in it ready to be copied.

import { make, onChange, say, shortTime } from "./kit.js";

const PIN = /(?<!\d)(\d{6,7}|\d{10})(?!\d)/g;

export class Mailbox {
  constructor() {
    this.list = document.querySelector("[data-mail]");
    this.filter = document.querySelector("[data-mail-filter]");
    this.draw = onChange(({ messages, filter }) => this.messages(messages, filter));
    this.filter.addEventListener("input", () => this.update(this.all || []));
  }

  update(messages) {
    if (this.all && messages.length > this.all.length) this.announce(messages.at(-1));
    this.all = messages;
    document.querySelector("[data-mail-count]").textContent = messages.length || "";
    this.draw({ messages, filter: this.filter.value.trim().toLowerCase() });
  }

  announce({ subject }) {
    document.querySelector("[data-mail-said]").textContent = say("mail_new", { subject });
  }

  messages(messages, filter) {
    const shown = messages.filter((message) => message.to.toLowerCase().includes(filter)).reverse();
    if (!shown.length) return this.list.replaceChildren(make("li", { className: "none", text: say("mail_none") }));
    this.list.replaceChildren(...shown.map(letter));
  }
}

function letter(message) {
  return make("li", {},
    make("div", { className: "code-head" },
      make("span", { className: "code-name", text: message.subject }),
      make("time", { className: "window", text: shortTime(Date.parse(message.at) / 1000) })),
    make("span", { className: "window", text: `${say("mail_to", { to: message.to })} · ${message.channel}` }),
    make("p", { className: "body" }, ...withPins(message.body)));
}

function withPins(body) {
  return body.split(PIN).map((piece, place) => (place % 2 ? pinButton(piece) : piece));
}

function pinButton(pin) {
  return make("button", { type: "button", className: "pin", text: pin, title: say("copy", { pin }), onclick: (event) => copy(pin, event.target) });
}

async function copy(pin, button) {
  await navigator.clipboard.writeText(pin);
  button.textContent = say("copied");
  setTimeout(() => (button.textContent = pin), 1200);
}
