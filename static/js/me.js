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
  const text = form && form.querySelector("textarea");
  if (!text) return;
  const place = name(form.dataset.user, form.dataset.key);
  const token = form.dataset.token;

  // A draft counts only on top of the words that it was typed over; what a refused form brings back stands.
  const draft = store((kept) => JSON.parse(kept.getItem(place) || "null"));
  if (draft && draft.token === token && typeof draft.text === "string" && !form.querySelector("[role=alert]")) {
    text.value = draft.text;
  } else if (draft && draft.token !== token) {
    store((kept) => kept.removeItem(place));
  }

  let timer = 0;
  const keep = () => {
    clearTimeout(timer);
    timer = 0;
    store((kept) => {
      if (text.value === text.defaultValue) kept.removeItem(place);
      else kept.setItem(place, JSON.stringify({ token, text: text.value }));
    });
  };
  text.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(keep, WAIT);
  });
  addEventListener("pagehide", () => {
    if (timer) keep();
  });
})();
