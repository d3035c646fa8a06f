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
  // What was typed comes back when its sending never arrived: session lost, network cut. The form says by the boxes
  // named in data-keep what it was read from, which the server changes when it takes a sending; by data-key, which it is.
  document.querySelectorAll("form[data-keep]").forEach(function (form) {
    var key = "kept:" + form.dataset.key, names = form.dataset.keep.split(" "), kept = null;
    function boxes() { return Array.from(form.elements).filter(function (box) { return box.name && !/^(hidden|file|submit|button|fieldset)$/.test(box.type); }); }
    function value(box) { return box.type === "checkbox" ? box.checked : box.value; }
    function read() { return names.map(function (name) { return form.elements[name].value; }).join("/"); }
    try { kept = JSON.parse(sessionStorage.getItem(key)); sessionStorage.removeItem(key); } catch { kept = null; }
    if (kept && kept.read === read() && !errors) {
      var changed = boxes().filter(function (box) { return box.name in kept.typed && value(box) !== kept.typed[box.name]; });
      changed.forEach(function (box) {
        if (box.type === "checkbox") { box.checked = kept.typed[box.name]; } else { box.value = kept.typed[box.name]; }
      });
      if (changed.length) {
        var told = document.createElement("p");
        told.className = "alert alert-warning"; told.id = "kept"; told.setAttribute("role", "status");
        told.textContent = "Votre dernier envoi n’est pas arrivé\u00a0: votre saisie est de nouveau ci-dessous. Relisez-la, puis transmettez-la.";
        form.prepend(told);
      }
    }
    form.addEventListener("submit", function () {
      var typed = {};
      boxes().forEach(function (box) { typed[box.name] = value(box); });
      try { sessionStorage.setItem(key, JSON.stringify({ read: read(), typed: typed })); } catch { /* full, or refused */ }
    });
  });
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
