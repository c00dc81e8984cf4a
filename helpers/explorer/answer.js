// Draws what Python sends: figure, readings and cautions arrive in one message, so a figure never
// stands beside the numbers of another View. Text is set as text, never as HTML: names come from
// a reader's file.
const SVG = "http://www.w3.org/2000/svg";

function make(tag, attributes = {}, ...children) {
  const svg = ["svg", "g", "path", "line", "text", "rect", "tspan"].includes(tag);
  const node = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const percent = (value) => (value === null ? "–" : `${(100 * value).toFixed(0)}%`);

function table(data) {
  const head = make("tr", {}, ...data.columns.map((c) => make("th", { scope: "col" }, c)));
  const rows = data.rows.map((row, k) =>
    make("tr", { "data-quantity": data.ids ? data.ids[k] : null },
      ...row.map((cell, j) =>
        make(j ? "td" : "th", j ? { class: "number" } : { scope: "row" }, String(cell)))));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": data.caption },
    make("table", {}, make("caption", {}, data.caption), make("thead", {}, head),
      make("tbody", {}, ...rows)));
}

function stepPath(x, y, X, Y) {
  let path = "";
  for (let k = 0; k < x.length; k++) {
    if (y[k] === null) continue;
    path += path === "" ? `M${X(x[k])},${Y(y[k])}` : `H${X(x[k])}V${Y(y[k])}`;
  }
  return path;
}

function bandPath(curve, X, Y) {
  // Runs of steps that have both limits, each a closed shape.
  let path = "", run = [];
  const close = () => {
    if (run.length > 1) {
      path += `M${X(curve.x[run[0]])},${Y(curve.low[run[0]])}`;
      for (const k of run.slice(1)) path += `H${X(curve.x[k])}V${Y(curve.low[k])}`;
      path += `V${Y(curve.high[run[run.length - 1]])}`;
      for (let j = run.length - 1; j > 0; j--) {
        path += `V${Y(curve.high[run[j - 1]])}H${X(curve.x[run[j - 1]])}`;
      }
      path += "Z";
    }
    run = [];
  };
  for (let k = 0; k < curve.x.length; k++) {
    if (curve.low[k] === null || curve.high[k] === null) close();
    else run.push(k);
  }
  close();
  return path;
}

const cautions = (rows) => rows.flatMap(([about, says]) =>
  [make("dt", {}, about), make("dd", { "data-caution": about }, says)]);

function legend(scene) {
  return make("div", { class: "legend" }, ...scene.curves.map((curve) =>
    make("span", {}, make("svg", { viewBox: "0 0 34 12", "aria-hidden": "true" },
      make("line", { x1: 0, x2: 34, y1: 6, y2: 6, stroke: curve.colour, "stroke-width": 2.4,
        "stroke-dasharray": curve.dash })), curve.name)));
}

// Text in lines no wider than so many pixels; a word that is wider itself is broken.
const pen = document.createElement("canvas").getContext("2d");
function fold(text, wide, size, family) {
  pen.font = `${size}px ${family}`;
  const lines = [""];
  for (const word of text.split(/\s+/).filter((part) => part)) {
    let last = lines[lines.length - 1];
    if (last && pen.measureText(`${last} ${word}`).width <= wide) last += " ";
    else if (last) last = (lines.push(""), "");
    for (const letter of word) {
      if (last && pen.measureText(last + letter).width > wide) last = (lines.push(""), "");
      lines[lines.length - 1] = last += letter;
    }
    lines[lines.length - 1] = last;
  }
  return lines;
}

function cut(text, wide, size, family) {
  const lines = fold(text, wide - size, size, family);
  return lines.length > 1 ? `${lines[0]}…` : lines[0];
}

function figure(scene, wide, family) {
  const right = 14, high = Math.max(220, Math.min(360, wide * 0.5)), row = 17, size = 12;
  const ylabel = fold(scene.y.label, high, size, family), left = 50 + 14 * ylabel.length;
  const inner = wide - left - right, middle = left + inner / 2;
  const whose = fold(scene.whose, inner, size, family).filter((line) => line);
  const status = fold([scene.status, ...scene.marks].join("; "), inner, 11, family);
  const top = 10 + 15 * (whose.length + status.length) + (whose.length ? 4 : 0);
  const xlabel = fold(scene.x.label, inner, size, family);
  const rows = 3 * scene.table.length, bottom = 32 + 14 * xlabel.length;
  const tall = top + high + bottom + rows * row + 6;
  const [x0, x1] = scene.x.limits, [y0, y1] = scene.y.limits;
  const X = (v) => +(left + ((v - x0) / (x1 - x0)) * inner).toFixed(2);
  const Y = (v) => +(top + high - ((Math.min(Math.max(v, y0), y1) - y0) / (y1 - y0)) * high).toFixed(2);
  const svg = make("svg", { viewBox: `0 0 ${wide} ${tall}`, role: "img", tabindex: "0",
    "aria-label": scene.alt, "font-size": size });
  // Above the axes, in the picture itself and never across the data: whose it is, what it is.
  whose.forEach((line, k) => svg.append(make("text", { x: left, y: 14 + 15 * k, class: "whose" },
    line)));
  status.forEach((line, k) => svg.append(make("text", { x: wide - right,
    y: top - 6 - 15 * (status.length - 1 - k), "text-anchor": "end", "font-size": 11,
    class: "status-line" }, line)));
  const axis = { stroke: "#404040", "stroke-width": 1 };
  svg.append(make("line", { x1: left, x2: left, y1: top, y2: top + high, ...axis }),
    make("line", { x1: left, x2: wide - right, y1: top + high, y2: top + high, ...axis }));
  for (const [at, text] of scene.y.ticks) {
    svg.append(make("line", { x1: left - 4, x2: left, y1: Y(at), y2: Y(at), ...axis }),
      make("text", { x: left - 7, y: Y(at) + 4, "text-anchor": "end" }, text));
  }
  for (const [at, text] of scene.x.ticks) {
    svg.append(make("line", { x1: X(at), x2: X(at), y1: top + high, y2: top + high + 4, ...axis }),
      make("text", { x: X(at), y: top + high + 17, "text-anchor": "middle" }, text));
  }
  xlabel.forEach((line, k) => svg.append(make("text", { x: middle, y: top + high + 35 + 14 * k,
    "text-anchor": "middle" }, line)));
  ylabel.forEach((line, k) => svg.append(make("text", { "text-anchor": "middle",
    transform: `translate(${14 + 14 * k} ${top + high / 2}) rotate(-90)` }, line)));
  if (scene.empty) {
    svg.append(make("text", { x: wide / 2, y: top + high / 3, "text-anchor": "middle",
      "font-size": 15 }, scene.empty));
  }
  for (const curve of scene.curves) {
    svg.append(make("path", { d: bandPath(curve, X, Y), fill: curve.colour, "fill-opacity": 0.13,
      stroke: "none", class: "band" }));
  }
  for (const curve of scene.curves) {
    svg.append(make("path", { d: stepPath(curve.x, curve.y, X, Y), fill: "none",
      stroke: curve.colour, "stroke-width": 2, "stroke-dasharray": curve.dash, class: "curve" }));
    const [cx, cy] = curve.censored;
    svg.append(make("path", { d: cx.map((v, k) => `M${X(v)},${Y(cy[k]) - 4}V${Y(cy[k]) + 4}`).join(""),
      stroke: curve.colour, "stroke-width": 1, fill: "none", class: "censored" }));
  }
  let at = top + high + bottom + 10;
  for (const group of scene.table) {
    const colour = scene.curves.find((c) => c.name === group.name).colour;
    svg.append(make("text", { x: 4, y: at, fill: colour, style: `fill:${colour}`,
      "font-weight": 700, "font-size": 11.5 }, cut(group.name, wide - 8, 12.5, family)));
    for (const [title, values] of [["At risk", group.at_risk], ["Events", group.events]]) {
      at += row;
      svg.append(make("text", { x: 4, y: at, "font-size": 11.5 }, title));
      values.forEach((value, k) => svg.append(make("text", { x: X(scene.x.ticks[k][0]), y: at,
        "text-anchor": "middle", "font-size": 11.5 }, value)));
    }
    at += row;
  }
  return { svg, X, left, right, top, high, wide };
}

function hover(scene, drawn, box, said) {
  // The last step at or before a place on x, of every curve.
  const tip = make("div", { class: "tip", hidden: "" });
  const line = make("line", { y1: drawn.top, y2: drawn.top + drawn.high, stroke: "#595959",
    "stroke-dasharray": "2 3", visibility: "hidden" });
  drawn.svg.append(line);
  const stops = [...new Set(scene.curves.flatMap((c) => c.x))].sort((a, b) => a - b);
  let stop = -1;
  const per = scene.unit === "months" ? 365 / 12 : 1;
  const show = (x) => {
    const lines = scene.curves.map((curve) => {
      let k = -1;
      while (k + 1 < curve.x.length && curve.x[k + 1] <= x + 1e-9) k++;
      if (k < 0) return null;
      const time = (curve.time[k] / per).toFixed(scene.unit === "months" ? 1 : 0);
      const limits = curve.survival_low[k] === null ? "no interval"
        : `${percent(curve.survival_low[k])} to ${percent(curve.survival_high[k])}`;
      return `${curve.name}: ${percent(curve.survival[k])} (${limits}) from ${scene.unit.slice(0, -1)} `
        + `${time}, ${curve.at_risk[k]} at risk there`;
    }).filter((text) => text !== null);
    const at = drawn.X(x), share = drawn.svg.clientWidth / drawn.wide;
    line.setAttribute("x1", at);
    line.setAttribute("x2", at);
    line.setAttribute("visibility", "visible");
    tip.replaceChildren(...lines.map((text) => make("div", {}, text)));
    tip.hidden = lines.length === 0;
    tip.style.top = `${(drawn.top + 8) * share}px`;
    tip.style.left = at > drawn.wide / 2 ? "" : `${(at + 10) * share}px`;
    tip.style.right = at > drawn.wide / 2 ? `${(drawn.wide - at + 10) * share}px` : "";
    return lines.join("; ");
  };
  const hide = () => {
    tip.hidden = true;
    line.setAttribute("visibility", "hidden");
  };
  drawn.svg.addEventListener("pointermove", (event) => {
    const area = drawn.svg.getBoundingClientRect();
    const px = ((event.clientX - area.left) / area.width) * drawn.wide;
    const share = (px - drawn.left) / (drawn.wide - drawn.left - drawn.right);
    if (share < 0 || share > 1 || !stops.length) return hide();
    show(scene.x.limits[0] + share * (scene.x.limits[1] - scene.x.limits[0]));
  });
  drawn.svg.addEventListener("pointerleave", hide);
  drawn.svg.addEventListener("blur", hide);
  drawn.svg.addEventListener("keydown", (event) => {
    const move = { ArrowRight: 1, ArrowLeft: -1, Home: -1e9, End: 1e9 }[event.key];
    if (event.key === "Escape") hide();
    if (move === undefined || !stops.length) return;
    event.preventDefault();
    stop = Math.min(Math.max(stop + move, 0), stops.length - 1);
    said.textContent = show(stops[stop]);
  });
  box.append(tip);
}

function render({ model, el }) {
  const root = make("section", { class: "sx", "aria-label": "Answer" });
  const live = make("p", { class: "lead", role: "status", "aria-live": "polite" });
  const said = make("p", { class: "weak", "aria-live": "polite" });
  const body = make("div");
  root.append(live, body);
  el.append(root);
  let width = 0;

  function draw() {
    const shown = model.get("shown");
    if (!shown.scene) return;
    const wide = Math.max(320, Math.min(920, Math.floor(el.clientWidth - 24) || 760));
    width = wide;
    const drawn = figure(shown.scene, wide, getComputedStyle(root).fontFamily);
    const box = make("figure", {}, legend(shown.scene), drawn.svg);
    hover(shown.scene, drawn, box, said);
    box.append(make("figcaption", {}, shown.caption), said);
    said.textContent = "";
    live.textContent = shown.lead;
    body.replaceChildren(
      ...(shown.error ? [make("p", { class: "error", role: "alert" }, shown.error)] : []),
      make("p", { class: "weak", "data-quantity": "view" }, shown.question), box,
      ...shown.tables.map(table),
      make("h3", {}, "How far to believe it"),
      make("dl", {}, ...cautions(shown.caution)),
      ...(shown.remarks.length ? [make("h3", {}, "Left out or withheld")] : []),
      ...shown.remarks.map((text) => make("p", { class: "remark" }, text)),
      make("p", { class: "foot" }, shown.foot),
    );
    root.dataset.serial = shown.serial;
  }
  function late() {
    // Nulls are computed beside the page; what comes for another answer is not shown.
    const { serial, caution } = model.get("late");
    const list = body.querySelector("dl");
    if (list && serial === model.get("shown").serial) list.replaceChildren(...cautions(caution));
  }
  draw();
  late();
  model.on("change:shown", draw);
  model.on("change:late", late);
  const watch = new ResizeObserver(() => {
    const wide = Math.max(320, Math.min(920, Math.floor(el.clientWidth - 24) || 760));
    if (Math.abs(wide - width) > 8) {
      draw();
      late();
    }
  });
  watch.observe(el);
  return () => {
    model.off("change:shown", draw);
    model.off("change:late", late);
    watch.disconnect();
  };
}

export default { render };
