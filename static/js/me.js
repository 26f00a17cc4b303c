// What one types on a check-in is kept in this browser until it is saved. All works without.
(() => {
  const WAIT = 300; // milliseconds without a key before it is kept

  function name(user, key) {
    return `check-in:${user}:${key}`;
  }

  function store(act) {
    try {
      return act(localStorage);
    } catch {
      return null; // without a store nothing is kept, and nothing else changes
    }
  }

  // A saved one is forgotten, so that no words stay behind in the browser.
  const saved = document.querySelector("[data-saved]");
  if (saved) store((kept) => kept.removeItem(name(saved.dataset.user, saved.dataset.saved)));

  const form = document.querySelector("form.check-in");
  if (!form) return;
  const place = name(form.dataset.user, form.dataset.key);
  const fields = [...form.elements].filter((e) => e.name && e.matches("textarea, select, input:not([type=hidden])"));
  const named = (one) => fields.filter((e) => e.name === one);

  // What is stored, as this page shows it: a draft counts only on top of the words and the figure it was typed over.
  const token = [form.dataset.token, ...[...form.elements].filter((e) => /^token-/.test(e.name)).map((e) => e.value)].join(" ");

  const isChanged = (e) => {
    if (e.matches("select")) return [...e.options].some((o) => o.selected !== o.defaultSelected);
    return e.matches("[type=radio], [type=checkbox]") ? e.checked !== e.defaultChecked : e.value !== e.defaultValue;
  };

  function typed() {
    const found = {};
    for (const e of fields) {
      if (!isChanged(e) || (e.matches("[type=radio], [type=checkbox]") && !e.checked)) continue;
      found[e.name] = e.value;
    }
    return found;
  }

  function fill(kept) {
    for (const [one, value] of Object.entries(kept)) {
      for (const e of named(one)) {
        if (typeof value !== "string") continue;
        if (e.matches("[type=radio], [type=checkbox]")) e.checked = e.value === value;
        else e.value = value;
        const fold = e.closest("details");
        if (fold) fold.open = true;
      }
    }
  }

  let timer = 0;
  let older = null; // a draft over words that are not these, until it is decided what becomes of it
  const keep = () => {
    clearTimeout(timer);
    timer = 0;
    const now = typed();
    store((kept) => {
      if (Object.keys(now).length || older) kept.setItem(place, JSON.stringify({ token, fields: now, older }));
      else kept.removeItem(place);
    });
  };

  function note(words, ...buttons) {
    const box = document.createElement("div");
    box.className = "banner";
    box.setAttribute("role", "status");
    const said = document.createElement("p");
    said.textContent = words;
    const row = document.createElement("div");
    row.className = "actions";
    box.append(said, row);
    for (const [label, act] of buttons) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button small";
      button.textContent = label;
      button.addEventListener("click", () => {
        act();
        older = null;
        keep();
        box.remove();
      });
      row.append(button);
    }
    form.prepend(box);
  }

  const words = (kept) => (kept && typeof kept.text === "string" ? kept.text.trim() : "");
  const draft = store((kept) => JSON.parse(kept.getItem(place) || "null"));
  if (draft && !form.querySelector("[role=alert]")) { // what a refused form brings back stands
    if (draft.token === token) fill(draft.fields || {});
    older = draft.token === token ? draft.older : draft.fields;
    if (words(older)) {
      const begun = older;
      note(
        `You began “${words(begun).slice(0, 200)}” here and did not save it. Meanwhile something else was saved.`,
        ["Use what I typed", () => fill(begun)],
        ["Forget it", () => {}],
      );
    } else older = null;
    keep();
  }

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(keep, WAIT);
  });
  addEventListener("pagehide", () => {
    if (timer) keep();
  });
})();
