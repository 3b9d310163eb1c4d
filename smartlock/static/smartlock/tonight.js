// Renews the first page's rows every 25 seconds while somebody looks at it, and counts its times down.
// What is open stays open, and the focus stays where it was; when it cannot be renewed, the page says so.
// What is folded and what is not stands in the address: a press changes it there and renews at once.
(function () {
  "use strict";
  const EVERY = 25000;
  const status = document.getElementById("sl-renewed");
  if (!status) return;
  let board = document.getElementById("sl-tonight");
  let renewedAt = new Date();
  let under_way = false;

  function clock(at) {
    return at.toLocaleTimeString(document.documentElement.lang || undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  }

  function say(form, isBad) {
    status.textContent = form.replace("%(time)s", clock(renewedAt));
    status.classList.toggle("sl-bad", isBad);
  }

  function count() {
    board.querySelectorAll("[data-at]").forEach(function (place) {
      const minutes = Math.round((new Date(place.dataset.at) - Date.now()) / 60000);
      const form = minutes >= 0 ? board.dataset.in : board.dataset.since;
      const text = form.replace("%(time)s", span(Math.abs(minutes)));
      if (place.textContent !== text) place.textContent = text;
    });
  }

  function span(minutes) {
    const hours = Math.floor(minutes / 60);
    if (hours >= 48) return board.dataset.days.replace("%(days)d", Math.floor(hours / 24)).replace("%(hours)d", hours % 24);
    if (!hours) return minutes + " min";
    return board.dataset.hours.replace("%(hours)d", hours).replace("%(minutes)02d", String(minutes % 60).padStart(2, "0"));
  }

  function put(fresh) {
    const open = Array.from(board.querySelectorAll("details[open]"), (one) => one.id);
    const focused = board.contains(document.activeElement) ? document.activeElement.id : "";
    open.forEach((id) => { const one = fresh.querySelector("#" + id); if (one) one.open = true; });
    board.replaceWith(fresh);
    board = fresh;
    if (window.htmx) window.htmx.process(board);
    const again = focused && document.getElementById(focused);
    if (again) again.focus({ preventScroll: true });
  }

  async function renew() {
    if (document.hidden || under_way) return;
    under_way = true;
    const asked = window.location.search;
    try {
      const answer = await fetch(status.dataset.url + asked, { credentials: "same-origin", cache: "no-store" });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("sl-tonight");
      if (!answer.ok || !fresh) throw new Error("no board in the answer");
      put(document.adoptNode(fresh));
      renewedAt = new Date();
      say(status.dataset.good, false);
    } catch (error) {
      say(status.dataset.bad, true);
    } finally {
      under_way = false;
    }
    count();
    if (asked !== window.location.search) renew();
  }

  function unfold(event) {
    const link = event.target.closest("a[data-unfold]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    window.history.replaceState(null, "", link.href);
    renew();
  }

  // The words of a proof stand in the row's details; on hover its mark says them too.
  function explain(event) {
    const mark = event.target.closest(".sl-links > span");
    if (!mark || mark.title) return;
    const words = mark.closest("details").querySelectorAll("dt, dd");
    const place = 2 * Array.from(mark.parentNode.children).indexOf(mark);
    mark.title = words[place].textContent + ". " + words[place + 1].textContent;
  }

  setInterval(renew, EVERY);
  setInterval(count, 10000);
  document.addEventListener("visibilitychange", renew);
  document.addEventListener("click", unfold);
  document.addEventListener("mouseover", explain);
  count();
})();
