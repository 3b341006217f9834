/* Charts stand in the page as drawings. When one comes near the view, it becomes interactive in place:
   marks answer the pointer and the arrow keys with what they stand for. Nothing is loaded before that. */
(() => {
  const here = document.currentScript.src;
  let engine;
  const loadEngine = () =>
    (engine ??= new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = new URL("vega.js", here).href;
      script.onload = () => done(window.reportEmbed);
      script.onerror = failed;
      document.head.append(script);
    }));

  const told = (item) =>
    typeof item.tooltip === "object"
      ? Object.entries(item.tooltip).map(([name, value]) => `${name}: ${value}`).join(", ")
      : String(item.tooltip);

  /* Every mark that has something to say, in reading order, with its place in the drawing. */
  const speaking = (view) => {
    const found = [];
    const [left, top] = view.origin();
    const walk = (mark, x, y) => {
      for (const item of mark.items || []) {
        if (mark.marktype === "group") {
          for (const inner of item.items || []) walk(inner, x + (item.x || 0), y + (item.y || 0));
        } else if (item.tooltip && mark.marktype !== "text") {
          const box = item.bounds;
          found.push({ item, x1: x + box.x1, y1: y + box.y1, x2: x + box.x2, y2: y + box.y2 });
        }
      }
    };
    walk(view.scenegraph().root, left, top);
    const once = new Map();
    for (const each of found) {
      const key = `${told(each.item)}|${each.item.datum && each.item.datum.x}`;
      if (!once.has(key)) once.set(key, each);
    }
    return [...once.values()].sort((a, b) => a.y1 - b.y1 || a.x1 - b.x1);
  };

  const upgrade = async (chart) => {
    const drawing = chart.querySelector(".drawing");
    const spec = JSON.parse(chart.querySelector("script").textContent);
    const embed = await loadEngine();
    const stage = document.createElement("div");
    const { view } = await embed(stage, spec, { mode: "vega-lite", renderer: "svg", actions: false, tooltip: () => {}, ast: false });
    const svg = stage.querySelector("svg");
    svg.setAttribute("aria-hidden", "true");

    const said = document.createElement("p");
    said.className = "said";
    said.setAttribute("aria-live", "polite");
    said.textContent = "Point at a mark, or use the arrow keys, to see what it stands for.";
    const ring = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    ring.setAttribute("class", "ring");
    ring.setAttribute("visibility", "hidden");
    svg.append(ring);

    const marks = speaking(view);
    let at = -1;
    const show = (each) => {
      said.textContent = told(each.item);
      ring.setAttribute("x", each.x1 - 3);
      ring.setAttribute("y", each.y1 - 3);
      ring.setAttribute("width", each.x2 - each.x1 + 6);
      ring.setAttribute("height", each.y2 - each.y1 + 6);
      ring.setAttribute("visibility", "visible");
    };
    view.addEventListener("mouseover", (_, item) => {
      const found = item && marks.findIndex((each) => each.item === item);
      if (found >= 0 && item) { at = found; show(marks[at]); }
    });
    drawing.replaceChildren(stage);
    drawing.setAttribute("role", "application");
    drawing.setAttribute("aria-roledescription", "chart");
    drawing.tabIndex = 0;
    drawing.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
      if (!step || !marks.length) return;
      event.preventDefault();
      at = Math.max(0, Math.min(marks.length - 1, at + step));
      show(marks[at]);
    });
    chart.append(said);
    chart.dataset.ready = "yes";
  };

  const watch = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        watch.unobserve(entry.target);
        upgrade(entry.target).catch(() => {}); // the drawing stays
      }
    },
    { rootMargin: "200px" },
  );
  addEventListener("DOMContentLoaded", () => document.querySelectorAll(".chart:has(> script)").forEach((chart) => watch.observe(chart)));
})();
