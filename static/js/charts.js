// Draws a Plotly figure when its place comes into view; the still drawing stays for paper. Colours are named by CSS variables and resolved here, so
// that a chart follows light and dark.
(() => {
  const PHRASE = /^var\((--[\w-]+)\)$/;
  const settings = { displayModeBar: false, responsive: true, showTips: false };
  const PAPER = 640; // CSS pixels that fit between the margins of A4
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
    for (const note of figure.layout.annotations || []) note.font.size = size * 0.86;
    const target = place.querySelector(".drawn") || place.appendChild(Object.assign(document.createElement("div"), { className: "drawn" }));
    target.setAttribute("aria-hidden", "true");
    window.Plotly.react(target, figure.data, figure.layout, settings);
    place.dataset.drawn = "yes";
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
