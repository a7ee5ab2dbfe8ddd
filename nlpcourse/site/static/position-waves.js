// Position vectors as waves, from the page's own numbers: sliders choose two positions, a list the width.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const LEFT = 52; // pixels for the labels of the rows
  const WAVES = 288; // pixels for the rows of waves, whatever their number
  const GAP = 40;
  const CURVE = 130;
  const HEIGHT = WAVES + GAP + CURVE + 40;

  const make = (name, attributes, parent, text) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    parent?.append(element);
    return element;
  };

  const dot = (a, b) => a.reduce((sum, entry, i) => sum + entry * b[i], 0);
  const cosine = (a, b) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

  const start = (figure) => {
    const encodings = JSON.parse(figure.querySelector("script").textContent);
    const svg = figure.querySelector("svg");
    const said = figure.querySelector(".course-waves-said");
    const inputs = Object.fromEntries([...figure.querySelectorAll("input, select")].map((each) => [each.name, each]));

    const draw = () => {
      const vectors = encodings[inputs.width.value]; // (T, D)
      const first = Number(inputs.position.value);
      const second = first + Number(inputs.distance.value);
      const cosines = vectors.map((vector) => cosine(vectors[first], vector));
      const width = Math.max(280, svg.parentElement.clientWidth);
      const x = (position) => LEFT + (position / (vectors.length - 1)) * (width - LEFT - 10);
      const path = (values, y) => values.map((value, t) => `${t ? "L" : "M"}${x(t).toFixed(1)} ${y(value).toFixed(1)}`);
      svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
      svg.replaceChildren();

      const both = [
        [first, "course-waves-first"],
        [second, "course-waves-second"],
      ];
      for (const [position, kind] of both) {
        make("line", { class: kind, x1: x(position), x2: x(position), y1: 0, y2: HEIGHT - 40 }, svg);
      }
      const rows = vectors[0].length / 2;
      const row = WAVES / rows;
      for (let i = 0; i < rows; i++) {
        const y = (value) => row * (i + 0.5 - 0.42 * value);
        const label = { x: LEFT - 8, y: y(0) + 4, "text-anchor": "end", "font-size": Math.min(13, row * 0.7) };
        make("text", label, svg, `${2 * i}, ${2 * i + 1}`);
        for (const [entry, kind] of [
          [2 * i, "course-waves-even"],
          [2 * i + 1, "course-waves-odd"],
        ]) {
          const values = vectors.map((vector) => vector[entry]);
          make("path", { class: kind, d: path(values, y).join("") }, svg);
          for (const [position, role] of both) {
            make("circle", { class: role, cx: x(position), cy: y(values[position]), r: Math.min(4, row / 5) }, svg);
          }
        }
      }

      const y = (value) => WAVES + GAP + (CURVE * (1 - value)) / 2;
      make("text", { x: LEFT, y: WAVES + GAP - 12, "font-size": 13 }, svg, `cosine with position ${first}`);
      for (const tick of [-1, 0, 1]) {
        make("line", { class: "course-waves-axis", x1: LEFT, x2: width - 10, y1: y(tick), y2: y(tick) }, svg);
        make("text", { x: LEFT - 8, y: y(tick) + 4, "text-anchor": "end", "font-size": 13 }, svg, tick);
      }
      make("path", { class: "course-waves-cosine", d: path(cosines, y).join("") }, svg);
      for (const [position, kind] of both) {
        make("circle", { class: kind, cx: x(position), cy: y(cosines[position]), r: 5 }, svg);
      }
      for (let position = 0; position < vectors.length; position += 16) {
        make("text", { x: x(position), y: HEIGHT - 22, "text-anchor": "middle", "font-size": 13 }, svg, position);
      }
      make("text", { x: x((vectors.length - 1) / 2), y: HEIGHT - 4, "text-anchor": "middle", "font-size": 13 }, svg, "position");

      const found = cosines[second].toFixed(2).replace("-0.00", "0.00");
      said.textContent =
        `Positions ${first} and ${second}, distance ${second - first}, width ${2 * rows}: ` +
        `the cosine of their vectors is ${found}.`;
      svg.setAttribute(
        "aria-label",
        `${rows} rows of waves over ${vectors.length} positions, the fastest on top, and below them the cosine of ` +
          `position ${first} with every position.`,
      );
    };

    for (const input of Object.values(inputs)) input.addEventListener("input", draw);
    figure.querySelector(".course-waves-view").hidden = false;
    draw();
    let width = svg.parentElement.clientWidth;
    new ResizeObserver(() => {
      if (svg.parentElement.clientWidth === width) return;
      width = svg.parentElement.clientWidth;
      draw();
    }).observe(svg.parentElement);
  };

  document.querySelectorAll(".course-waves").forEach(start);
})();
