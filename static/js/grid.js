// Grids to write in: paste a block from a spreadsheet, move by arrows and Enter, undo, see what is not saved yet. All works without.
//
// A grid is a `table[data-grid]` inside a form; its cells are the visible inputs of its body, one after the other in each row.
// `data-was` of an input is what is stored (without it: what the page came with). The form may hold
//   [data-grid-status]   where it is said how much is not saved, and what a paste has left out
//   [data-grid-tools]    hidden without script; shown, with buttons [data-grid-undo], [data-grid-redo], [data-grid-discard]
//   button[data-grid-fill]   what the server would fill in is put into the cells at once, as one step that can be undone
//   [data-grid-note]     its words are taken over from the server's answer to such a button
(() => {
  const SELECTOR = "table[data-grid]";
  const grids = new Set();

  function cells(row) {
    return [...row.querySelectorAll("input:not([type=hidden]), select, textarea")];
  }

  // Two texts of a cell that say the same number are no change: 9,000 and 9000.
  const GROUPED = /^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$/;
  function same(cell, text, other) {
    if (text === other || !takesFigures(cell)) return text === other;
    const [one, two] = [text, other].map((said) => said.replace(/[\s\u2009\u202f\u00a0']/g, "").replace("\u2212", "-"));
    const plain = (said) => (GROUPED.test(said) ? said.replace(/,/g, "") : said);
    return plain(one) === plain(two);
  }

  function was(cell) {
    if (cell.dataset.was !== undefined) return cell.dataset.was;
    return cell.defaultValue === undefined ? "" : cell.defaultValue;
  }

  // Text of the clipboard as rows of fields. A field with tabs, line ends or quotes stands in quotes, as spreadsheets write it.
  function rowsOf(text) {
    const rows = [[]];
    let field = "";
    let quoted = false;
    const source = text.replace(/\r\n?/g, "\n").replace(/\n$/, "");
    for (let n = 0; n < source.length; n += 1) {
      const letter = source[n];
      if (quoted) {
        if (letter !== '"') field += letter;
        else if (source[n + 1] === '"') {
          field += '"';
          n += 1;
        } else quoted = false;
      } else if (letter === '"' && field === "") quoted = true;
      else if (letter === "\t" || letter === "\n") {
        rows[rows.length - 1].push(field.trim());
        field = "";
        if (letter === "\n") rows.push([]);
      } else field += letter;
    }
    rows[rows.length - 1].push(field.trim());
    return rows;
  }

  // Figures of a pasted block as the page writes them. A block that proves a decimal comma (1.234,5 or 12,5, and no cell a
  // decimal point) has points for thousands; what stands for an unknown figure empties its cell.
  const UNKNOWN = /^(#?n\/?a|n\. ?a\.|k\. ?a\.|#nv|-|–|—|null|none|unknown)$/i;
  const bare = (text) =>
    text
      .replace(/[\s\u00a0\u2009\u202f'’]/g, "")
      .replace("\u2212", "-")
      .replace(/^([+-]?)[£$€¥]/, "$1")
      .replace(/[£$€¥]$/, "");
  const digits = (text) => bare(text).replace(/%$/, "").replace(/^[+-]/, "");
  const COMMA = /^(\d{1,3}(\.\d{3})+,\d+|\d+,\d{1,2}|\d+,\d{4,}|0,\d+|\d{1,3}(\.\d{3}){2,})$/;
  const POINT = /^(\d{1,3}(,\d{3})+\.\d+|\d*\.\d{1,2}|\d*\.\d{4,}|0?\.\d+|\d{1,3}(,\d{3}){2,})$/;

  function figuresOf(texts) {
    const some = (proof) => texts.some((text) => proof.test(digits(text)));
    const comma = some(COMMA) && !some(POINT);
    return texts.map((text) => {
      if (UNKNOWN.test(text.trim())) return "";
      if (!/^[\d.,]*\d[\d.,]*$/.test(digits(text))) return text;
      const plain = /[£$€¥]\s*$/.test(text) ? bare(text) : text;
      return comma && /[.,]/.test(plain) ? bare(plain).replace(/\./g, "").replace(",", ".").replace(/%$/, " %") : plain;
    });
  }

  function takesFigures(cell) {
    return cell.inputMode === "decimal" || "target" in cell.dataset;
  }

  function plural(count, word) {
    return `${count} ${word}${count === 1 ? "" : "s"}`;
  }

  function grid(table) {
    const form = table.closest("form");
    const status = form.querySelector("[data-grid-status]");
    const tools = form.querySelector("[data-grid-tools]");
    const button = (name) => form.querySelector(`[data-grid-${name}]`);
    const done = []; // steps: lists of [cell, before, after]
    const undone = [];
    const before = new WeakMap(); // what a cell held when typing in it began
    let leaving = false;

    const rows = () => [...table.tBodies].flatMap((body) => [...body.rows]).map(cells).filter((row) => row.length);
    const all = () => rows().flat();

    function changed() {
      return all().filter((cell) => !cell.disabled && !same(cell, cell.value, was(cell)));
    }

    function show(words = "") {
      let count = 0;
      for (const row of rows()) {
        const dirty = row.filter((cell) => !cell.disabled && !same(cell, cell.value, was(cell)));
        count += dirty.length;
        for (const cell of row) cell.classList.toggle("dirty", dirty.includes(cell));
        const line = row[0].closest("tr");
        if (dirty.length > 0 && !line.classList.contains("changed")) unfold(line);
        line.classList.toggle("changed", dirty.length > 0);
      }
      const said = count ? `${plural(count, "cell")} changed, not saved yet.` : "";
      if (status) status.textContent = [words, said].filter(Boolean).join(" ");
      for (const [name, useless] of [
        ["undo", !done.length],
        ["redo", !undone.length],
        ["discard", !count],
      ]) {
        if (button(name)) button(name).disabled = useless;
      }
    }

    // On a phone a line is folded: what is written in it, or looked for, is opened.
    function unfold(line) {
      for (const fold of line?.querySelectorAll("details.fold") || []) fold.open = true;
    }

    function put(cell, value) {
      cell.value = value;
      before.set(cell, value);
      cell.dispatchEvent(new Event("input", { bubbles: true }));
    }

    // What was typed since the cell was entered becomes one step.
    function settle(cell) {
      if (!before.has(cell) || before.get(cell) === cell.value) return;
      done.push([[cell, before.get(cell), cell.value]]);
      undone.length = 0;
      before.set(cell, cell.value);
    }

    function change(step, words = "") {
      const real = step.filter(([cell, old, value]) => old !== value);
      if (real.length) {
        done.push(real);
        undone.length = 0;
        for (const [cell, , value] of real) put(cell, value);
      }
      show(words);
    }

    function back() {
      if (table.contains(document.activeElement)) settle(document.activeElement);
      const step = done.pop();
      if (!step) return;
      undone.push(step);
      for (const [cell, old] of step) put(cell, old);
      go(step[0][0]);
      show(`${plural(step.length, "cell")} as before.`);
    }

    function forth() {
      const step = undone.pop();
      if (!step) return;
      done.push(step);
      for (const [cell, , value] of step) put(cell, value);
      go(step[0][0]);
      show();
    }

    function go(cell) {
      unfold(cell.closest("tr"));
      cell.focus();
      if (cell.select) cell.select();
    }

    function place(cell) {
      const every = rows();
      const row = every.findIndex((one) => one.includes(cell));
      return { every, row, column: row < 0 ? -1 : every[row].indexOf(cell) };
    }

    // The next cell in a direction that can be written in; null at the edge.
    function beside(cell, down, right) {
      const { every, row, column } = place(cell);
      let [r, c] = [row + down, column + right];
      while (every[r] && c >= 0 && c < every[r].length) {
        if (!every[r][c].disabled) return every[r][c];
        [r, c] = [r + down, c + right];
      }
      return null;
    }

    function atEdge(cell, end) {
      if (cell.selectionStart === null || cell.selectionStart === undefined) return true;
      const whole = cell.selectionStart === 0 && cell.selectionEnd === cell.value.length;
      const at = end ? cell.value.length : 0;
      return whole || (cell.selectionStart === at && cell.selectionEnd === at);
    }

    function paste(cell, text) {
      const block = rowsOf(text);
      const { every, row, column } = place(cell);
      const step = [];
      let outside = 0;
      block.forEach((line, r) => {
        line.forEach((value, c) => {
          const target = every[row + r]?.[column + c];
          if (target && !target.disabled) step.push([target, target.value, value]);
          else if (value) outside += 1;
        });
      });
      const inFigures = step.filter(([target]) => takesFigures(target));
      const read = figuresOf(inFigures.map(([, , value]) => value));
      inFigures.forEach((one, n) => (one[2] = read[n]));
      change(step, outside ? `${plural(outside, "pasted cell")} did not fit into the grid.` : `${plural(step.length, "cell")} pasted.`);
    }

    table.addEventListener("focusin", (event) => {
      if (cells(table).includes(event.target)) before.set(event.target, event.target.value);
    });
    table.addEventListener("focusout", (event) => {
      if (before.has(event.target)) settle(event.target);
      show();
    });
    table.addEventListener("input", () => show());

    table.addEventListener("paste", (event) => {
      const text = event.clipboardData?.getData("text/plain") || "";
      if (!cells(table).includes(event.target) || !/[\t\n\r]/.test(text.replace(/[\r\n]+$/, ""))) return;
      event.preventDefault();
      settle(event.target);
      paste(event.target, text);
    });

    form.addEventListener("keydown", (event) => {
      const cell = event.target;
      const key = event.key.toLowerCase();
      if ((event.ctrlKey || event.metaKey) && !event.altKey && (key === "z" || key === "y")) {
        if (/^(TEXTAREA|INPUT)$/.test(cell.tagName) && !table.contains(cell)) return; // other fields have their own undo
        event.preventDefault();
        if (key === "y" || event.shiftKey) forth();
        else back();
        return;
      }
      if (!table.contains(cell) || !cells(table).includes(cell) || event.altKey || event.isComposing) return;
      if (event.key === "Enter") {
        event.preventDefault();
        if (event.ctrlKey || event.metaKey) {
          form.requestSubmit();
          return;
        }
        settle(cell);
        const next = beside(cell, event.shiftKey ? -1 : 1, 0);
        if (next) go(next);
        return;
      }
      if (event.key === "Escape" && before.has(cell) && before.get(cell) !== cell.value) {
        event.preventDefault();
        put(cell, before.get(cell));
        return;
      }
      if (event.ctrlKey || event.metaKey || event.shiftKey || cell.tagName !== "INPUT") return;
      const steps = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };
      const way = steps[event.key];
      if (!way || (way[1] && !atEdge(cell, way[1] > 0))) return;
      const next = beside(cell, ...way);
      if (!next) return;
      event.preventDefault();
      go(next);
    });

    // What the server would fill in (a split, a pasted block), without leaving the page.
    async function fill(by) {
      const body = new FormData(form);
      body.append(by.name, by.value);
      by.disabled = true;
      try {
        const answer = await fetch(form.action || location.href, { method: "POST", body, credentials: "same-origin" });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const filled = page.querySelector(SELECTOR);
        if (!filled) throw new Error("the answer holds no grid");
        const step = [];
        for (const cell of all()) {
          const other = filled.querySelector(`[name="${CSS.escape(cell.name)}"]`);
          if (other && !cell.disabled) step.push([cell, cell.value, other.getAttribute("value") || ""]);
        }
        const note = form.querySelector("[data-grid-note]");
        const said = page.querySelector("[data-grid-note]");
        if (note && said) note.textContent = said.textContent;
        change(step);
      } catch {
        leaving = true; // the plain way, by a whole page
        by.disabled = false;
        delete by.dataset.gridFill;
        by.click();
        return;
      }
      by.disabled = false;
    }

    form.addEventListener("click", (event) => {
      const by = event.target.closest("button");
      if (!by || !form.contains(by)) return;
      if (by.matches("[data-grid-fill]")) {
        event.preventDefault();
        fill(by);
      } else if (by.matches("[data-grid-undo]")) back();
      else if (by.matches("[data-grid-redo]")) forth();
      else if (by.matches("[data-grid-discard]")) change(changed().map((cell) => [cell, cell.value, was(cell)]), "As it is stored.");
    });

    form.addEventListener("submit", (event) => {
      leaving = true;
      setTimeout(() => {
        if (event.defaultPrevented) leaving = false; // htmx stays on the page
      }, 0);
    });
    addEventListener("beforeunload", (event) => {
      if (table.isConnected && !leaving && changed().length) event.preventDefault();
    });

    const wanted = location.hash ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    if (wanted && table.contains(wanted)) unfold(wanted);
    if (tools) tools.hidden = false;
    const refused = table.querySelector("[aria-invalid=true]"); // it may stand far below
    if (refused) go(refused);
    show(status ? status.textContent.trim() : "");
  }

  function watch(root) {
    for (const table of root.querySelectorAll(SELECTOR)) {
      if (grids.has(table) || !table.closest("form")) continue;
      grids.add(table);
      grid(table);
    }
    for (const table of grids) if (!table.isConnected) grids.delete(table);
  }

  document.addEventListener("htmx:afterSettle", () => watch(document));
  watch(document);
})();
