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
  // What a yearly amount makes over the whole duration, told while it is typed; the server has the last word.
  document.querySelectorAll("[data-yearly]").forEach(function (told) {
    var box = document.getElementById(told.dataset.yearly), months = BigInt(told.dataset.months);
    if (!box) { return; }
    box.addEventListener("input", function () {
      var found = /^(\d{1,12})(?:[.,](\d{1,2}))?$/.exec(box.value.replace(/[\s€]/g, ""));
      if (!found || !/[1-9]/.test(found[0])) { told.textContent = ""; return; }
      var cents = BigInt(found[1]) * 100n + BigInt((found[2] || "").padEnd(2, "0")), whole = (cents * months * 2n + 12n) / 24n;
      told.textContent = "soit " + String(whole / 100n).replace(/\B(?=(\d{3})+$)/g, "\u202f") + "," + String(whole % 100n).padStart(2, "0") + "\u00a0€ HT sur " + months + " mois";
    });
  });
})();
