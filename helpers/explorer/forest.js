// The forest of all one-variable subgroups: a table whose rows load into the View.
const SVG = "http://www.w3.org/2000/svg";

function make(tag, attributes = {}, ...children) {
  const svg = ["svg", "path", "line", "rect"].includes(tag);
  const node = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function interval(row, limits) {
  const wide = 170, X = (v) => 4 + ((v - limits[0]) / (limits[1] - limits[0])) * (wide - 8);
  const inside = (v) => Math.min(Math.max(v, limits[0]), limits[1]);
  const svg = make("svg", { viewBox: `0 0 ${wide} 18`, "aria-hidden": "true", style: "width:170px" });
  svg.append(make("line", { x1: X(0), x2: X(0), y1: 0, y2: 18, stroke: "#595959" }));
  if (row.estimate !== null) {
    svg.append(make("line", { x1: X(inside(row.low)), x2: X(inside(row.high)), y1: 9, y2: 9,
      stroke: "#0072b2", "stroke-width": 2 }));
    svg.append(make("rect", { x: X(inside(row.estimate)) - 4, y: 5, width: 8, height: 8,
      fill: "#0072b2" }));
    if (row.low < limits[0]) svg.append(make("path", { d: "M0,9L7,5V13Z", fill: "#0072b2" }));
    if (row.high > limits[1]) {
      svg.append(make("path", { d: `M${wide},9L${wide - 7},5V13Z`, fill: "#0072b2" }));
    }
  }
  return svg;
}

function render({ model, el }) {
  const root = make("section", { class: "sx", "aria-label": "All one-variable subgroups" });
  el.append(root);

  function draw() {
    const shown = model.get("shown");
    if (!shown.rows) return root.replaceChildren();
    const head = make("tr", {}, ...["Subgroup", "Patients", "Events", shown.contrast, "Hazard ratio",
      "Interaction P", "Remark"].map((name) => make("th", { scope: "col" }, name)));
    const rows = shown.rows.map((row, k) => {
      const button = make("button", { type: "button", "aria-pressed": String(row.chosen) }, row.name);
      button.addEventListener("click", () => model.send({ pick: k }));
      return make("tr", { "data-row": row.name },
        make("th", { scope: "row" }, row.where ? button : row.name),
        ...[row.n, row.events].map((v) => make("td", { class: "number" }, v)),
        make("td", {}, interval(row, shown.limits)), make("td", { class: "number" }, row.ratio),
        make("td", { class: "number" }, row.p), make("td", { class: "weak" }, row.note));
    });
    root.replaceChildren(
      make("p", { class: "status" }, shown.status),
      make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": shown.caption },
        make("table", {}, make("caption", {}, shown.caption), make("thead", {}, head),
          make("tbody", {}, ...rows))),
      make("p", { class: "foot" }, shown.foot));
  }
  draw();
  model.on("change:shown", draw);
  return () => model.off("change:shown", draw);
}

export default { render };
