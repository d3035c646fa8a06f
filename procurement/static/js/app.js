// Says aloud, and shows, that the server did not answer; brings focus to the errors of a refused form.
(function () {
  var live = document.getElementById("live");
  function say(text) { if (live) { live.textContent = text; } }
  // A refused action answers with its sentence, to show at the top of the page; other failures have no fragment to show.
  function isRefusal(event) { return event.detail.xhr.getResponseHeader("HX-Retarget") === "#refusal"; }
  document.body.addEventListener("htmx:beforeSwap", function (event) { if (isRefusal(event)) { event.detail.shouldSwap = true; event.detail.isError = false; } });
  document.body.addEventListener("htmx:responseError", function () { say("L’action n’a pas abouti. Rechargez la page et réessayez."); });
  document.body.addEventListener("htmx:sendError", function () { say("Le serveur ne répond pas. Vérifiez votre connexion."); });
  document.body.addEventListener("htmx:beforeRequest", function () { var old = document.getElementById("refusal"); if (old) { old.replaceChildren(); } });
  document.body.addEventListener("htmx:afterSwap", function () { var errors = document.getElementById("form-errors"); if (errors) { errors.focus(); } });
  var errors = document.getElementById("form-errors");
  if (errors) { errors.focus(); }
  document.addEventListener("keydown", function (event) { if (event.key === "Escape") { document.querySelectorAll(".user-menu[open]").forEach(function (menu) { menu.open = false; menu.querySelector("summary").focus(); }); } });
})();
