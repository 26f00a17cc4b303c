// What the first hour's screens gain from script: zone and country of this browser, files that are dropped, months
// proposed while a target is typed, links that are copied. All of it works without.
(() => {
  function guess() {
    const form = document.querySelector("form[data-guess]");
    if (!form) return;
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const zones = form.elements.timezone;
    if (![...zones.options].some((o) => o.value === zone)) return;
    zones.value = zone;
    const countries = JSON.parse(document.getElementById("zone-countries").textContent);
    const holidays = form.elements.holidays;
    const follow = () => {
      const code = countries[zones.value] || "";
      if ([...holidays.options].some((o) => o.value === code)) holidays.value = code;
    };
    follow();
    let own = false;
    holidays.addEventListener("change", () => (own = true));
    zones.addEventListener("change", () => own || follow());
  }

  function drops() {
    const form = document.querySelector("form[data-drop]");
    if (!form) return;
    const area = form.querySelector("textarea");
    const file = form.querySelector("input[type=file]");
    const holds = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
    area.addEventListener("dragover", (event) => {
      if (!holds(event)) return;
      event.preventDefault();
      area.classList.add("over");
    });
    area.addEventListener("dragleave", () => area.classList.remove("over"));
    area.addEventListener("drop", (event) => {
      area.classList.remove("over");
      if (!holds(event)) return;
      event.preventDefault();
      file.files = event.dataTransfer.files;
      form.requestSubmit();
    });
    file.addEventListener("change", () => file.files.length && form.requestSubmit());
  }

  // Commas part thousands or nothing: 1.234,5 and 12,5 are no numbers here, as on the server.
  function number(input) {
    const text = input.value.replace(/[\s\u202f']/g, "").replace("\u2212", "-").replace(/^([+-]?)[£$€¥]|[£$€¥]$/, "$1").replace(/%$/, "");
    if (text === "") return null;
    if (text.includes(",") && !/^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$/.test(text)) return NaN;
    const value = Number(text.replace(/,/g, ""));
    return Number.isFinite(value) ? value : NaN;
  }

  // As the server writes figures into their fields.
  const plain = (value) => new Intl.NumberFormat("en-GB", { maximumFractionDigits: 12 }).format(Number(value.toPrecision(12)));

  // The smallest part in which people plan such a target, as calc.splits.step_of; shares are in percent here.
  function stepOf(target, unit) {
    const steps = unit === "percent" ? [0.1, 0.01] : unit.startsWith("currency") ? [1, 0.01] : [1, 0.1, 0.01];
    const fits = (count) => Math.abs(count - Math.round(count)) <= 1e-9 * Math.max(1, Math.abs(count));
    return steps.find((step) => fits(target / step));
  }

  // The same split as the server's: by largest remainders where the target has such a part, else exact shares.
  function split(target, weights, unit) {
    const sum = weights.reduce((a, b) => a + b, 0);
    const parts = weights.map((w) => (target * w) / sum);
    const step = stepOf(target, unit);
    if (step) {
      const exact = parts.map((p) => p / step);
      const counts = exact.map(Math.floor);
      const order = parts.map((p, n) => n).sort((a, b) => counts[a] - exact[a] - (counts[b] - exact[b]) || a - b);
      const short = Math.round(target / step) - counts.reduce((a, b) => a + b, 0);
      for (const n of order.slice(0, short)) counts[n] += 1;
      return counts.map((count) => count * step);
    }
    const last = weights.findLastIndex((w) => w);
    parts[last] = target - parts.reduce((a, b, n) => (n === last ? a : a + b), 0);
    return parts;
  }

  // Equal steps from the baseline, no finer than the target is planned.
  function climb(target, baseline, count, unit) {
    let step = stepOf(target, unit) || 10 ** (Math.floor(Math.log10(Math.abs(target) || 1)) - 3);
    if (step === 1 && Math.abs(target) < 100) step = 0.1;
    const mark = (n) => Math.round((baseline + ((target - baseline) * (n + 1)) / count) / step) * step;
    return [...Array(count).keys()].map((n) => (n + 1 === count ? target : mark(n)));
  }

  function targets() {
    const form = document.querySelector("form[data-targets]");
    if (!form) return;
    form.querySelector("[data-propose]")?.setAttribute("hidden", "");
    for (const line of form.querySelectorAll(".start-line")) {
      const target = line.querySelector("[data-target]");
      const months = [...line.querySelectorAll("[data-month]")];
      const place = line.querySelector("[data-sum]");
      let own = months.some((m) => m.value.trim() !== "");
      const check = () => {
        const goal = number(target);
        const given = months.map(number);
        place.className = "note start-sum";
        place.textContent = "";
        if (!("addsUp" in line.dataset) || goal === null || given.some((m) => m === null || Number.isNaN(m))) return;
        const rest = goal - given.reduce((a, b) => a + b, 0);
        const adds = Math.abs(rest) <= 1e-6 * Math.max(1, Math.abs(goal));
        place.textContent = adds ? "adds up" : rest > 0 ? `${plain(rest)} missing` : `${plain(-rest)} too much`;
        place.classList.add(adds ? "sum-ok" : "sum-off");
      };
      target.addEventListener("input", () => {
        const goal = number(target);
        if (!own) {
          const percent = line.dataset.unit === "percent";
          let proposed = months.map(() => "");
          if (goal !== null && !Number.isNaN(goal)) {
            if ("addsUp" in line.dataset) {
              proposed = split(goal, line.dataset.weights.split(" ").map(Number), line.dataset.unit);
            } else if (line.dataset.baseline) {
              proposed = climb(goal, Number(line.dataset.baseline) * (percent ? 100 : 1), months.length, line.dataset.unit);
            } else proposed = months.map(() => goal);
          }
          months.forEach((m, n) => (m.value = proposed[n] === "" ? "" : plain(proposed[n])));
        }
        check();
      });
      for (const month of months) {
        month.addEventListener("input", () => {
          own = months.some((m) => m.value.trim() !== "");
          check();
        });
      }
      check();
    }
  }

  // Fields that matter only with another field's choice: data-when="unit=currency".
  function whens() {
    for (const field of document.querySelectorAll("[data-when]")) {
      const [name, value] = field.dataset.when.split("=");
      const other = field.closest("form").elements[name];
      const show = () => (field.hidden = other.value !== value && !field.querySelector(".error"));
      other.addEventListener("change", show);
      show();
    }
  }

  // A changed decision shows at once what it makes of the figures.
  function rereads() {
    const form = document.querySelector("form[data-reread]");
    if (!form) return;
    const again = form.querySelector("button[name=again]");
    for (const button of form.querySelectorAll("button[name=again]")) button.hidden = true;
    form.addEventListener("change", () => form.requestSubmit(again));
  }

  function copies() {
    for (const button of document.querySelectorAll("[data-copies]")) {
      button.hidden = !navigator.clipboard;
      button.addEventListener("click", async () => {
        const field = document.getElementById(button.dataset.copies);
        field.select();
        await navigator.clipboard.writeText(field.value);
        button.textContent = "Copied";
      });
    }
  }

  // What was refused may stand far below: the reader is taken there.
  function refusals() {
    document.querySelector("main form [aria-invalid=true]")?.focus();
  }

  guess();
  drops();
  targets();
  rereads();
  whens();
  copies();
  refusals();
})();
