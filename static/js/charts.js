// Draws a Plotly figure when its place comes into view; the still drawing stays for paper. Colours are named by CSS variables and resolved here, so
// that a chart follows light and dark.
(() => {
  const PHRASE = /^var\((--[\w-]+)\)$/;
  const settings = { displayModeBar: false, responsive: true, showTips: false };
  const PAPER = 640; // CSS pixels that fit between the margins of A4
  const NARROW = 34; // widths of a letter; charts.css asks the same
  const pen = document.createElement("canvas").getContext("2d");
  const drawn = new Set();
  let probe;

  function colour(name) {
    if (!probe) {
      probe = document.createElement("span");
      probe.hidden = true;
      document.body.append(probe);
    }
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  }

  function resolved(part) {
    if (typeof part === "string") {
      const named = PHRASE.exec(part);
      return named ? colour(named[1]) : part;
    }
    if (Array.isArray(part)) return part.map(resolved);
    if (part && typeof part === "object") {
      return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, resolved(value)]));
    }
    return part;
  }

  const isNarrow = (place) => place.clientWidth < NARROW * parseFloat(getComputedStyle(place).fontSize);

  // Labels right of the chart get the room that they take; a narrow chart says their figures only, and fewer days.
  function fitWords(layout, narrow, font) {
    pen.font = `${font.size}px ${font.family}`;
    let room = 0;
    for (const note of layout.annotations || []) {
      note.font.size = font.size;
      if (!note.name) continue;
      if (narrow) note.text = note.name;
      room = Math.max(room, pen.measureText(note.text).width + note.xshift + 4);
    }
    if (room) layout.margin.r = Math.ceil(room);
    if (narrow && layout.xaxis.nticks) layout.xaxis.nticks = 5;
  }

  function draw(place) {
    const source = document.getElementById(place.dataset.chart);
    if (!source) return;
    if (!window.Plotly) {
      // still on its way: the drawing by the server stands meanwhile
      document.querySelector("script[data-plotly]")?.addEventListener("load", () => draw(place), { once: true });
      return;
    }
    const figure = resolved(JSON.parse(source.textContent));
    const style = getComputedStyle(document.body);
    const size = parseFloat(getComputedStyle(place).fontSize);
    figure.layout.font = { ...figure.layout.font, family: style.fontFamily, size: size * 0.86 };
    const narrow = isNarrow(place);
    fitWords(figure.layout, narrow, figure.layout.font);
    const target = place.querySelector(".drawn") || place.appendChild(Object.assign(document.createElement("div"), { className: "drawn" }));
    target.setAttribute("aria-hidden", "true");
    window.Plotly.react(target, figure.data, figure.layout, settings);
    place.dataset.drawn = narrow ? "narrow" : "yes";
    drawn.add(place);
  }

  // A drawing keeps the size of the screen unless it is told another one; null follows its place again.
  function size(place, width) {
    const target = place.querySelector(".drawn");
    const still = place.querySelector(".still");
    if (target && !still) window.Plotly.relayout(target, { width, height: width && place.clientHeight, autosize: !width });
  }

  const seen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        seen.unobserve(entry.target);
        draw(entry.target);
      }
    },
    { rootMargin: "200px" },
  );

  function watchCharts(root) {
    for (const place of root.querySelectorAll(".chart[data-chart]:not([data-drawn])")) seen.observe(place);
  }

  function redrawCharts() {
    for (const place of drawn) {
      if (place.isConnected) draw(place);
      else drawn.delete(place);
    }
  }

  // A phone that is turned round has other room for words.
  addEventListener("resize", () => {
    for (const place of drawn) {
      if (place.isConnected && isNarrow(place) !== (place.dataset.drawn === "narrow")) draw(place);
    }
  });

  // Paper shows every chart, also those that nobody has scrolled to.
  addEventListener("beforeprint", () => {
    for (const place of document.querySelectorAll(".chart[data-chart]:not([data-drawn])")) draw(place);
    for (const place of drawn) size(place, PAPER);
  });
  addEventListener("afterprint", () => {
    for (const place of drawn) size(place, null);
  });

  document.addEventListener("northstar:theme", redrawCharts);
  document.addEventListener("htmx:afterSettle", (event) => watchCharts(event.target));
  watchCharts(document);
})();
