// The keyboard: / find, ? help, g b, g m, g l, g i, g t, j k, t.
(() => {
  const WAIT = 1200; // milliseconds in which the second key of a pair counts

  function typing(target) {
    return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
  }

  function move(step) {
    const links = [...document.querySelectorAll("[data-row] a.cover")].filter((a) => a.offsetParent !== null || a.getClientRects().length);
    if (!links.length) return;
    const at = links.indexOf(document.activeElement);
    const next = at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + step, 0), links.length - 1);
    links[next].focus();
  }

  function tables() {
    const all = [...document.querySelectorAll("details.figures")];
    const open = !all.some((one) => one.open);
    for (const one of all) one.open = open;
  }

  function keys() {
    const find = document.getElementById("find");
    const help = document.getElementById("help");
    if (!find) return;
    const openFind = () => {
      find.showModal();
      document.getElementById("find-text").select();
    };
    document.getElementById("find-open").addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      openFind();
    });
    const helpOpen = document.getElementById("help-open");
    helpOpen.hidden = false;
    helpOpen.addEventListener("click", () => help.showModal());

    const places = { b: "board", m: "me", l: "leaders", i: "metrics", t: "targets" };
    let gone = 0;
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (find.open) {
        steps(event, find);
        return;
      }
      if (help.open || typing(event.target)) return;
      const pair = performance.now() - gone < WAIT;
      gone = 0;
      if (pair && places[event.key]) {
        location.assign(document.body.dataset[places[event.key]]);
        return;
      }
      const acts = {
        "/": openFind,
        "?": () => help.showModal(),
        j: () => move(1),
        k: () => move(-1),
        t: tables,
        g: () => {
          gone = performance.now();
        },
      };
      if (!acts[event.key]) return;
      event.preventDefault();
      acts[event.key]();
    });
  }

  // Arrow keys walk through what was found.
  function steps(event, find) {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const all = [document.getElementById("find-text"), ...find.querySelectorAll("#find-results a")];
    const at = all.indexOf(document.activeElement);
    const next = all[at + (event.key === "ArrowDown" ? 1 : -1)];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }

  keys();
})();
