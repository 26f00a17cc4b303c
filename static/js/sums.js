// The grid of targets: while typing, says whether the months add up. The server checks it again.
(() => {
  const NEAR = 1e-6; // the same tolerance as the server's

  // Commas part thousands or nothing: 1.234,5 and 12,5 are no numbers here, as on the server.
  function number(input) {
    const text = input.value.replace(/[\s\u202f']/g, "").replace("\u2212", "-").replace(/^([+-]?)[£$€¥]|[£$€¥]$/, "$1").replace(/%$/, "");
    if (text === "") return null;
    if (text.includes(",") && !/^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$/.test(text)) return NaN;
    const value = Number(text.replace(/,/g, ""));
    return Number.isFinite(value) ? value : NaN;
  }

  // A growth is kept as written ("10%", of a share "2 points"); its number is the server's to say.
  function grows(row, input) {
    const text = input.value.trim();
    return /(points?|relative|hold)$/.test(text) || (text.endsWith("%") && !row.hasAttribute("data-share"));
  }

  function said(value) {
    return new Intl.NumberFormat("en-GB", { maximumFractionDigits: 4 }).format(value);
  }

  function check(row) {
    const place = row.querySelector("[data-sum]");
    if (!place) return;
    const goal = row.querySelector("[data-target]");
    const target = grows(row, goal) ? 0 : number(goal);
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
    if (grows(row, goal)) {
      place.textContent = `${said(months.reduce((a, b) => a + b, 0))} in all`;
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
