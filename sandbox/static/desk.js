// The front desk: book a stay, change it, cancel it, delete it; and the webhooks that told the product.

import { call, make, onChange, say, shortTime, wallTime } from "./kit.js";

const PATH = "/sandbox/stays/reservations";
const MINUTE_MS = 60000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const PRESETS = {
  tomorrow: (now, zone) => [wallTime(now, zone), { ...wallTime(new Date(+now + DAY_MS), zone), time: "11:00" }],
  short: (now, zone) => [wallTime(now, zone), wallTime(new Date(+now + 10 * MINUTE_MS), zone)],
  week: (now, zone) => [
    { ...wallTime(new Date(+now + 7 * DAY_MS), zone), time: "15:00" },
    { ...wallTime(new Date(+now + 10 * DAY_MS), zone), time: "11:00" },
  ],
};

export class Desk {
  constructor() {
    this.form = document.querySelector("[data-book]");
    this.list = document.querySelector("[data-stays]");
    this.said = document.querySelector("[data-stays-said]");
    this.dialog = document.querySelector("[data-change]");
    this.drawStays = onChange((stays) => this.stays(stays));
    this.drawWebhooks = onChange((lines) => this.webhooks(lines));
    this.listen();
    this.preset();
  }

  listen() {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.book();
    });
    this.form.listing.addEventListener("change", () => this.preset());
    this.form.querySelectorAll("[name=preset]").forEach((radio) => radio.addEventListener("change", () => this.preset()));
    this.dialog.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    this.dialog.querySelector("[data-close]").addEventListener("click", () => this.dialog.close());
  }

  preset() {
    const zone = this.form.listing.selectedOptions[0].dataset.zone;
    const [start, end] = PRESETS[this.form.preset.value](new Date(), zone);
    fill(this.form, start.day, start.time, end.day, end.time);
  }

  async book() {
    const { listing, name, email, phone, language } = this.form;
    const guest = { name: name.value, email: email.value, phone: phone.value, language: language.value };
    const said = this.form.querySelector("[data-said]");
    if (wrongOrder(this.form)) return (said.textContent = say("wrong_order"));
    try {
      const made = await call("POST", PATH, { listing: listing.value, ...dates(this.form), guest });
      said.textContent = say("booked_ok", { id: made.id });
    } catch (error) {
      said.textContent = error.message;
    }
    document.dispatchEvent(new Event("refresh"));
  }

  stays(stays) {
    if (!stays.length) return this.list.replaceChildren(make("li", { className: "none", text: say("stays_none") }));
    // A redraw must not drop the focus of someone who works with the keyboard.
    const { stay: focused, place } = document.activeElement.dataset;
    this.list.replaceChildren(...[...stays].reverse().map((stay) => this.stay(stay)));
    if (focused) this.list.querySelector(`[data-stay="${focused}"][data-place="${place}"]`)?.focus();
  }

  stay(stay) {
    const dates = `${day(stay.checkInDate)} ${stay.checkInTime} – ${day(stay.checkOutDate)} ${stay.checkOutTime}`;
    return make("li", { data: { type: stay.type } },
      make("div", { className: "code-head" },
        make("span", { className: "code-name", text: stay.client?.name || stay.id }),
        make("span", { className: "tag", text: say(`type_${stay.type}`) })),
      make("span", { className: "window", text: `${stay.listingName} · ${stay.id}` }),
      make("span", { className: "window", text: dates }),
      make("div", { className: "acts" }, ...this.acts(stay)));
  }

  acts(stay) {
    const name = stay.client?.name || stay.id;
    const act = (place, key, work, extra = "") => make("button", {
      type: "button",
      className: `quiet ${extra}`,
      text: say(key),
      ariaLabel: `${say(key)}: ${name}`,
      data: { stay: stay._id, place },
      onclick: work,
    });
    const type = (place, key, value) => act(place, key, () => this.change(stay._id, { type: value }));
    return [
      act("change", "change", () => this.openChange(stay)),
      stay.type === "canceled" ? type("type", "reactivate", "booked") : type("type", "cancel", "canceled"),
      stay.type === "reserved" ? type("confirm", "confirm_type", "booked") : null,
      act("delete", "delete", (event) => this.remove(stay, event.target), "danger"),
    ].filter(Boolean);
  }

  openChange(stay) {
    this.changing = stay;
    const form = this.dialog.querySelector("form");
    this.dialog.querySelector("h2").textContent = say("change_title", { name: stay.client?.name || stay.id });
    this.dialog.querySelector("[data-said]").textContent = "";
    form.listing.value = stay._idlisting;
    fill(form, stay.checkInDate, stay.checkInTime, stay.checkOutDate, stay.checkOutTime);
    this.dialog.showModal();
  }

  async save() {
    const form = this.dialog.querySelector("form");
    if (wrongOrder(form)) return (this.dialog.querySelector("[data-said]").textContent = say("wrong_order"));
    try {
      await call("PATCH", `${PATH}/${this.changing._id}`, { listing: form.listing.value, ...dates(form) });
      this.dialog.close();
      this.tell(say("saved"));
    } catch (error) {
      this.dialog.querySelector("[data-said]").textContent = error.message;
    }
  }

  async change(id, wish) {
    try {
      await call("PATCH", `${PATH}/${id}`, wish);
      this.tell(say("saved"));
    } catch (error) {
      this.tell(error.message);
    }
  }

  // The first press asks, the second deletes: no dialog for so small a thing.
  async remove(stay, button) {
    if (!button.dataset.sure) {
      button.dataset.sure = "1";
      button.textContent = say("delete_sure");
      button.ariaLabel = null;
      return;
    }
    await call("DELETE", `${PATH}/${stay._id}`);
    this.tell(say("deleted_ok"));
  }

  tell(text) {
    this.said.textContent = text;
    document.dispatchEvent(new Event("refresh"));
  }

  webhooks(lines) {
    const list = document.querySelector("[data-webhooks]");
    if (!lines.length) return list.replaceChildren(make("li", { className: "none", text: say("webhooks_none") }));
    list.replaceChildren(...lines.slice(-12).reverse().map((line) => this.webhook(line)));
  }

  webhook(line) {
    const off = line.error.startsWith("no SANDBOX");
    const result = line.status ?? (off ? say("webhook_off") : line.error || say("webhook_waiting"));
    const state = line.status >= 200 && line.status < 300 ? "good" : off || !line.error ? "" : "bad";
    return make("li", { data: { state } },
      make("time", { text: shortTime(Date.parse(line.at) / 1000) }),
      make("span", {}, make("code", { text: line.action }), ` → ${result}`));
  }
}

function fill(form, inDay, inTime, outDay, outTime) {
  // A stay that begins at a second (tests make such) must stay valid in the field.
  for (const [field, time] of [[form.checkInTime, inTime], [form.checkOutTime, outTime]]) field.step = time.length > 5 ? 1 : 60;
  form.checkInDate.value = inDay;
  form.checkInTime.value = inTime;
  form.checkOutDate.value = outDay;
  form.checkOutTime.value = outTime;
}

function wrongOrder(form) {
  const { checkInDate, checkInTime, checkOutDate, checkOutTime } = dates(form);
  return `${checkOutDate} ${checkOutTime}` <= `${checkInDate} ${checkInTime}`;
}

function dates({ checkInDate, checkInTime, checkOutDate, checkOutTime }) {
  return {
    checkInDate: checkInDate.value,
    checkInTime: checkInTime.value,
    checkOutDate: checkOutDate.value,
    checkOutTime: checkOutTime.value,
  };
}

function day(text) {
  return new Intl.DateTimeFormat(document.documentElement.lang, { day: "2-digit", month: "short", timeZone: "UTC" })
    .format(new Date(`${text}T00:00:00Z`)).replace(/\.$/, "");
}
