// What pages gain from script: the choice of theme, menus that close, filters that act at once. All work without.
(() => {
  const themes = ["", "light", "dark"];
  const names = { "": "as the system", light: "light", dark: "dark" };

  function theme() {
    const button = document.getElementById("theme-next");
    const root = document.documentElement;
    const say = () => {
      button.querySelector("span").textContent = names[root.dataset.theme || ""];
    };
    button.hidden = false;
    say();
    button.addEventListener("click", () => {
      const next = themes[(themes.indexOf(root.dataset.theme || "") + 1) % themes.length];
      if (next) root.dataset.theme = next;
      else delete root.dataset.theme;
      try {
        localStorage.setItem("theme", next);
      } catch {
        // it is then remembered for this page only
      }
      say();
      document.dispatchEvent(new Event("northstar:theme"));
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new Event("northstar:theme")));
  }

  // A menu closes when the reader turns elsewhere, as menus do.
  function menus() {
    document.addEventListener("click", (event) => {
      for (const menu of document.querySelectorAll("details.menu[open]")) {
        if (!menu.contains(event.target)) menu.open = false;
      }
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      for (const menu of document.querySelectorAll("details.menu[open]")) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    });
  }

  // Filters act at once where there is script; their button is for when there is none.
  function filters(root) {
    for (const form of root.querySelectorAll("form.filters")) {
      form.querySelector("button").hidden = true;
      form.addEventListener("change", () => form.requestSubmit());
    }
  }

  // In a row of tabs that is longer than the screen, the one that the reader is in stands in the middle.
  function tabs() {
    for (const here of document.querySelectorAll(".settings-nav [aria-current]")) {
      const row = here.parentElement;
      row.scrollLeft = here.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
      row.addEventListener("focusin", (event) => event.target.scrollIntoView({ block: "nearest", inline: "nearest" }));
    }
  }

  theme();
  menus();
  tabs();
  filters(document);
})();
