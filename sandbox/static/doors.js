// One card per door: the keypad, the swinging door, the codes on it, its log and its faults.

import { call, clockTime, make, onChange, say, shortTime, texts } from "./kit.js";

const STAYS_OPEN_MS = 4000;
const SHAKE_MS = 450;

export class DoorCard {
  constructor(card) {
    this.card = card;
    this.id = card.dataset.door;
    this.zone = card.dataset.zone;
    this.path = `/sandbox/doors/${this.id}`;
    this.input = card.querySelector("input[name=pin]");
    this.said = card.querySelector("[data-said]");
    this.drawCodes = onChange((codes) => this.codes(codes));
    this.drawLog = onChange((log) => this.log(log));
    this.listen();
  }

  listen() {
    const keypad = this.card.querySelector("[data-keypad]");
    keypad.addEventListener("submit", (event) => {
      event.preventDefault();
      this.tryPin();
    });
    keypad.addEventListener("click", (event) => this.press(event.target.closest("[data-key]")?.dataset.key));
    this.input.addEventListener("input", () => {
      this.input.value = this.input.value.replace(/\D/g, "");
    });
    this.card.querySelector("[data-wake]")?.addEventListener("click", () => this.wake());
    this.card.querySelectorAll("[data-act]").forEach((button) => {
      button.addEventListener("click", () => this.act(button.dataset));
    });
    this.card.querySelectorAll("[data-fault]").forEach((box) => {
      box.addEventListener("change", () => this.switchFault(box));
    });
  }

  press(key) {
    if (!key) return;
    if (key === "erase") this.input.value = this.input.value.slice(0, -1);
    else if (this.input.value.length < this.input.maxLength) this.input.value += key;
  }

  async tryPin() {
    const pin = this.input.value;
    if (!pin) return this.input.focus();
    try {
      this.show(await call("POST", `${this.path}/try`, { pin }));
    } catch (error) {
      this.said.textContent = error.message;
    }
    this.input.value = "";
    document.dispatchEvent(new Event("refresh"));
  }

  show({ opened, code }) {
    this.said.textContent = say(`reason_${code}`, { n: this.card.dataset.length });
    const result = opened ? "opened" : "refused";
    this.card.dataset.result = result;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => delete this.card.dataset.result, opened ? STAYS_OPEN_MS : SHAKE_MS * 4);
  }

  // What happens at a door without a guest: an alarm, a flat battery, a stranger at the keypad.
  async act({ act, body, told }) {
    const answer = await call("POST", `${this.path}/${act}`, JSON.parse(body));
    if (act === "try") this.show(answer);
    else this.said.textContent = told;
    document.dispatchEvent(new Event("refresh"));
  }

  reason({ code }) {
    const values = { n: this.card.dataset.length, what: code };
    return say(`reason_${code}` in texts ? `reason_${code}` : "reason_other", values);
  }

  async wake() {
    await call("POST", `${this.path}/wake`);
    document.dispatchEvent(new Event("refresh"));
  }

  async switchFault(box) {
    await call("POST", `${this.path}/faults`, { fault: box.dataset.fault, on: box.checked });
    document.dispatchEvent(new Event("refresh"));
  }

  update(door) {
    this.door = door;
    this.status(door);
    this.card.querySelector("[data-battery]").textContent = `${door.battery} %`;
    const asleep = !door.awake;
    this.drawCodes({ codes: door.codes, asleep, minute: Math.floor(door.clock / 60), live: door.passwords });
    this.drawLog(door.log);
    const on = new Set(door.faults.filter((fault) => fault.on).map((fault) => fault.fault));
    this.card.querySelectorAll("[data-fault]").forEach((box) => (box.checked = on.has(box.dataset.fault)));
    this.card.querySelector("[data-fault-count]").textContent = on.size ? say("faults_on", { n: on.size }) : "";
  }

  status(door) {
    const chip = this.card.querySelector("[data-status]");
    const seconds = Math.max(0, Math.round(door.awake_until - Date.now() / 1000));
    const state = !door.awake ? "asleep" : !door.online ? "offline" : door.radio === "wifi" ? "awake" : "online";
    this.card.dataset.state = state;
    chip.textContent = state === "awake" ? say("awake_for", { seconds }) : say(state);
  }

  codes({ codes, asleep }) {
    const list = this.card.querySelector("[data-codes]");
    const shown = codes.filter((code) => code.state !== "gone" || code.on_lock);
    if (!shown.length) return list.replaceChildren(make("li", { className: "none", text: say("codes_none") }));
    list.replaceChildren(...shown.map((code) => this.code(code, asleep)));
  }

  code(code, asleep) {
    const state = shownState(code, this.door.clock);
    const window = code.wanted || code.on_lock;
    return make("li", { data: { state } },
      make("div", { className: "code-head" },
        make("span", { className: "code-name", text: code.name || `№ ${code.id}` }),
        make("span", { className: "tag", text: say(`state_${state}`) })),
      make("span", { className: "window", text: this.window(window) }),
      ...this.notes(code, asleep).map((text) => make("span", { className: "note", text })));
  }

  // Where the cloud and the lock disagree, say so: this is what people come here to see.
  notes(code, asleep) {
    const pending = code.state === "requested" || code.state === "removing";
    const lock = code.on_lock;
    const moved = lock && code.wanted && (lock.from !== code.wanted.from || lock.to !== code.wanted.to);
    return [
      pending && asleep && say("waits_wake"),
      code.state === "requested" && moved && say("still", { window: this.window(lock) }),
      code.state === "removing" && lock?.live && say("still_opens"),
    ].filter(Boolean);
  }

  window({ from, to }) {
    return `${shortTime(from, this.zone)} – ${shortTime(to, this.zone)}`;
  }

  log(lines) {
    const list = this.card.querySelector("[data-log]");
    if (!lines.length) return list.replaceChildren(make("li", { className: "none", text: say("log_none") }));
    list.replaceChildren(...lines.slice(0, 12).map((line) => this.logLine(line)));
  }

  logLine(line) {
    const why = line.opened ? say("log_opened", { value: line.value }) : this.reason(line);
    return make("li", { data: { state: line.opened ? "good" : "bad" } },
      make("time", { text: clockTime(line.at, this.zone) }), make("span", { text: why }));
  }
}

function shownState(code, clock) {
  if (code.state !== "on_lock") return code.state;
  if (clock < code.on_lock.from) return "future";
  return clock >= code.on_lock.to ? "past" : "live";
}
