// Words, times, small DOM tools and the one way to call the server.

export const texts = JSON.parse(document.getElementById("texts").textContent);
export const language = document.documentElement.lang;

export function say(key, values = {}) {
  return texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

export async function call(method, path, body) {
  const options = { method };
  if (body !== undefined) {
    options.headers = { "content-type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(path, options);
  const content = answer.status === 204 ? null : await answer.json();
  if (!answer.ok) throw new Error(content.message || content.error);
  return content;
}

export function make(tag, options = {}, ...children) {
  const { text, data = {}, ...properties } = options;
  const element = Object.assign(document.createElement(tag), properties);
  Object.assign(element.dataset, data);
  if (text !== undefined) element.textContent = text;
  element.append(...children.filter((child) => child != null));
  return element;
}

// Redraw only what changed, so that polling never steals the focus or an open menu.
export function onChange(draw) {
  let last;
  return (value) => {
    const now = JSON.stringify(value);
    if (now !== last) draw(value);
    last = now;
  };
}

const SHORT = { day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit", hour12: false };

export function shortTime(seconds, zone) {
  const options = zone ? { ...SHORT, timeZone: zone } : SHORT;
  return new Intl.DateTimeFormat(language, options).format(new Date(seconds * 1000)).replace(/\.,|,/, "");
}

export function clockTime(seconds, zone) {
  const options = { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false, timeZone: zone };
  return new Intl.DateTimeFormat(language, options).format(new Date(seconds * 1000));
}

// "2026-12-01" and "15:00" as a clock on that wall would show them.
export function wallTime(date, zone) {
  const parts = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" }).format(date);
  const [day, time] = parts.split(" ");
  return { day, time };
}
