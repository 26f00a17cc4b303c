// The grid of targets: while typing, says whether the months add up. The server checks it again.
(() => {
  const NEAR = 1e-6; // the same tolerance as the server's

  function number(input) {
    const text = input.value.replace(/[\s\u202f,]/g, "").replace("\u2212", "-").replace(/%$/, "");
    if (text === "") return null;
    const value = Number(text);
    return Number.isFinite(value) ? value : NaN;
  }

  function said(value) {
    return new Intl.NumberFormat("en-GB", { maximumFractionDigits: 4 }).format(value);
  }

  function check(row) {
    const place = row.querySelector("[data-sum]");
    if (!place) return;
    const target = number(row.querySelector("[data-target]"));
    const months = [...row.querySelectorAll("[data-month]")].map(number);
    place.className = "note";
    if (months.every((m) => m === null)) {
      place.textContent = "no benchmarks";
      return;
    }
    if ([target, ...months].some((m) => Number.isNaN(m))) {
      place.textContent = "not a number";
      place.className = "sum-off";
      return;
    }
    if (target === null || months.some((m) => m === null)) {
      place.textContent = target === null ? "target missing" : "a month is missing";
      place.className = "sum-off";
      return;
    }
    const rest = target - months.reduce((a, b) => a + b, 0);
    const adds = Math.abs(rest) <= NEAR * Math.max(1, Math.abs(target));
    place.textContent = adds ? "adds up" : rest > 0 ? `${said(rest)} missing` : `${said(-rest)} too much`;
    place.className = adds ? "sum-ok" : "sum-off";
  }

  function sums(root) {
    for (const row of root.querySelectorAll("[data-adds-up]:has([data-target])")) {
      row.addEventListener("input", () => check(row));
      check(row);
    }
  }

  sums(document);
})();
