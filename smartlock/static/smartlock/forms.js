// A form is sent once, however often its button is pressed: the second press of a double click would write to the
// guest twice, or answer "nothing to do" over the good news of the first.
// A dialog that does not come, because nobody is signed in any more or the server refuses, is said by a whole page.
(function () {
  "use strict";
  const PATIENCE = 10000; // milliseconds; whoever presses again after that means it
  const sent = new WeakMap();

  function once(event) {
    const form = event.target;
    if ((form.method || "").toLowerCase() !== "post") return;
    if (Date.now() - (sent.get(form) || 0) < PATIENCE) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else {
      sent.set(form, Date.now());
    }
  }

  // A dialog that has come back has something to correct. One that leads on is still on its way.
  function answered(event) {
    const { elt, xhr } = event.detail;
    if (!xhr.getResponseHeader("HX-Redirect")) sent.delete(elt);
  }

  function elsewhere(event) {
    const { pathInfo, requestConfig, xhr } = event.detail;
    const asked = new URL(pathInfo.finalRequestPath || pathInfo.requestPath, window.location.href).pathname;
    const came = xhr.responseURL ? new URL(xhr.responseURL).pathname : asked;
    if (xhr.status < 400 && came === asked) return;
    event.preventDefault();
    if (xhr.status >= 400 && requestConfig.verb === "get") window.location.assign(asked);
    else window.location.reload();
  }

  document.addEventListener("submit", once, true);
  document.addEventListener("htmx:afterRequest", answered);
  document.addEventListener("htmx:beforeSwap", elsewhere);
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) document.querySelectorAll("form").forEach((form) => sent.delete(form));
  });
})();
