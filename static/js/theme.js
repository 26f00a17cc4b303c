// Before the first paint: the reader's choice of light or dark, if there is one.
(() => {
  try {
    const chosen = localStorage.getItem("theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // storage may be shut; then the system's wish counts
  }
})();
