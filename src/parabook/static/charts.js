/* Charts stand in the page as drawings. When one comes near the view, it becomes interactive in place:
   marks answer the pointer and the arrow keys with what they stand for. Nothing is loaded before that. */
(() => {
  const here = document.currentScript.src;
  let engine;
  const loadEngine = () =>
    (engine ??= new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = new URL("vega.js", here).href;
      script.onload = () => done(window.parabookEmbed);
      script.onerror = failed;
      document.head.append(script);
    }));

  const HINT = matchMedia("(hover: hover)").matches
    ? "Select a mark, or use the arrow keys, to see what it stands for."
    : "Tap a mark to see what it stands for.";

  /* Text that turns the direction of what follows it is kept to itself. */
  const isolate = (text) => (/[\u0590-\u08ff\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc]/.test(text) ? `\u2068${text}\u2069` : text);

  const message = (item) =>
    typeof item.tooltip === "object"
      ? Object.entries(item.tooltip).map(([name, value]) => `${name}: ${isolate(String(value))}`).join(", ")
      : String(item.tooltip);

  /* Every mark that has something to say. */
  const itemsOf = (view) => {
    const found = [];
    const walk = (mark) => {
      for (const item of mark.items || []) {
        if (mark.marktype === "group") for (const inner of item.items || []) walk(inner);
        else if (item.tooltip && item._svg && mark.marktype !== "text") found.push(item);
      }
    };
    walk(view.scenegraph().root);
    return found;
  };

  /* In reading order, each thing once. */
  const marksOf = (items) => {
    const found = new Map(items.map((item) => [key(item), item]).reverse());
    const place = (item) => item._svg.getBoundingClientRect();
    return [...found.values()].sort((a, b) => place(a).top - place(b).top || place(a).left - place(b).left);
  };
  const key = (item) => `${message(item)}|${item.datum && item.datum.x}`;

  /* A card finds its marks in the charts of its page: the others fade. */
  let followed = "";
  const upgraded = [];
  const offerToFollow = (card) => {
    const button = document.createElement("button");
    button.textContent = "Find in the charts";
    button.addEventListener("click", () => {
      followed = followed === card.dataset.follow ? "" : card.dataset.follow;
      for (const each of document.querySelectorAll("[data-follow]")) {
        const chosen = each.dataset.follow === followed;
        each.toggleAttribute("aria-current", chosen);
        each.querySelector("button").setAttribute("aria-pressed", chosen);
      }
      for (const fade of upgraded) fade();
      const own = new RegExp(`\\b(${followed.split(" ").join("|")})\\b`);
      const found = followed && [...document.querySelectorAll(".chart > script")].find((spec) => own.test(spec.textContent));
      if (found) found.parentElement.scrollIntoView({ block: "center" });
    });
    card.append(button);
  };

  const upgrade = async (chart) => {
    const drawing = chart.querySelector(".drawing");
    const spec = JSON.parse(chart.querySelector("script").textContent);
    const embed = await loadEngine();
    const config = { font: "'Report Sans', sans-serif" }; // as the drawing program has it, where the chart names none
    const stage = document.createElement("div");
    const { view } = await embed(stage, spec, { mode: "vega-lite", renderer: "svg", actions: false, tooltip: () => {}, ast: false, config });
    stage.querySelector("svg").setAttribute("aria-hidden", "true");

    const said = document.createElement("p");
    said.className = "said";
    said.setAttribute("aria-live", "polite");
    /* Of charts that stand together the last says it for all. */
    const asks = JSON.stringify(spec).includes('"tooltip"');
    const last = asks && !(chart.nextElementSibling && chart.nextElementSibling.matches(".charts > .chart"));
    const group = chart.closest(".charts");
    if (last && group) group.insertAdjacentHTML("afterend", `<p class="said">${HINT}</p>`);
    else said.textContent = last ? HINT : "";
    drawing.replaceChildren(stage);

    const items = itemsOf(view);
    const marks = marksOf(items);
    const fade = () => {
      const own = items.filter((item) => Object.values(item.tooltip).some((value) => String(value).split(", ").some((each) => followed.split(" ").includes(each))));
      for (const item of items) item._svg.style.opacity = own.length && !own.includes(item) ? 0.2 : "";
    };
    upgraded.push(fade);
    fade();
    let at = -1;
    const ring = document.createElement("div");
    ring.className = "ring";
    const show = (item) => {
      said.textContent = message(item);
      said.classList.add("stays");
      const whole = drawing.getBoundingClientRect();
      const mark = item._svg.getBoundingClientRect();
      ring.style.cssText = `left:${mark.left - whole.left - 4}px;top:${mark.top - whole.top - 4}px;width:${mark.width + 4}px;height:${mark.height + 4}px`;
      drawing.append(ring);
    };
    view.addEventListener("mouseover", (_, item) => {
      const found = item && item.tooltip ? marks.findIndex((each) => key(each) === key(item)) : -1;
      if (found >= 0) show(marks[(at = found)]);
    });
    view.addEventListener("click", (_, item) => item && item.tooltip && show(item));
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
  /* A link may lead into a fold; who goes back finds the page as it was left. */
  const folds = document.getElementsByTagName("details");
  const unfold = () => {
    if (history.state?.folds) return;
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let fold = target && target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    if (target) target.scrollIntoView();
  };
  const restore = () => {
    const { top, folds: were } = history.state ?? {};
    if (!were) return;
    [...folds].forEach((fold, at) => (fold.open = were[at]));
    requestAnimationFrame(() => scrollTo({ top, behavior: "instant" }));
  };
  addEventListener("hashchange", unfold);
  addEventListener("popstate", restore);
  addEventListener("click", (event) => {
    if (event.target.closest('a[href^="#"]')) history.replaceState({ top: scrollY, folds: [...folds].map((fold) => fold.open) }, "");
  }, true);
  addEventListener("DOMContentLoaded", () => {
    const charts = document.querySelectorAll(".chart:has(> script)");
    for (const chart of charts) watch.observe(chart);
    if (charts.length) document.querySelectorAll("[data-follow]").forEach(offerToFollow);
    /* Where a style shows code below what it makes, it is also read, and reached by keyboard, there. */
    for (const code of document.querySelectorAll("div.cell > details.above-input:has(+ .cell_output)"))
      if (getComputedStyle(code.nextElementSibling).order === "-1") code.parentElement.append(code);
    /* On a phone the contents close when an entry is chosen. */
    document.querySelector(".toc-drawer")?.addEventListener("click", (event) => {
      if (event.target.closest("a")) document.getElementById("__toc").checked = false;
    });
    unfold();
    restore();
  });
})();
