// What the heads of a small Transformer look at, for a text that the reader types. The model is computed here.
// It waits for the whole page, because pocket-transformer.js is another script.
document.addEventListener("DOMContentLoaded", () => {
  const SVG = "http://www.w3.org/2000/svg";
  const PADDING = 4; // positions behind the text, as in a batch with a longer one
  const FONT = 13;
  const TOP = 42;
  const LEVELS = 8; // shades of a small map
  const NAMED = 3; // positions that the sentence names
  const ORDER = ["first", "second", "third", "fourth"];
  const KINDS = {
    cross: { title: "Cross-attention", looks: "the output", asked: "the text", left: 92 },
    encoder: { title: "Self-attention of the encoder", looks: "the text", asked: "the text", left: 46 },
    decoder: { title: "Self-attention of the decoder", looks: "the output", asked: "the output", left: 92 },
  };

  const make = (name, attributes, parent, text) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  };
  const plain = (name, text, attributes = {}) => {
    const element = document.createElement(name);
    element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const shown = (token) => (token === " " ? "␣" : token === "pad" ? "□" : token);
  const drawn = (token) => (token === "start" ? "▸" : shown(token));
  const spoken = (token) =>
    token === " " ? "the space" : ["pad", "start", "end"].includes(token) ? token : `"${token}"`;

  const start = (figure) => {
    const record = JSON.parse(figure.querySelector("script").textContent);
    const model = window.courseTransformer(record);
    const find = (name) => figure.querySelector(`.course-heads-${name}`);
    const svg = find("drawing");
    const { text, kind, causal, padding } = Object.fromEntries(
      [...figure.querySelectorAll("input[name], select")].map((each) => [each.name, each]),
    );
    const table = figure.querySelector("details table");
    let chosen = { ...record.shown }; // layer and head
    let row;
    let found; // what the model computed last
    let masked; // the same with both masks

    // The positions that look and those that are looked at, and which of these the masks hide.
    const positions = () => {
      const source = [...[...text.value.trim()], ...Array(PADDING).fill("pad")];
      const read = ["start", ...found.written].slice(0, found.maps.decoder[0][0].length);
      const writes = [...found.written, "end"];
      const looking =
        kind.value === "encoder" ? source.map((token) => [token]) : read.map((token, t) => [token, writes[t]]);
      const asked = kind.value === "decoder" ? read : source;
      const hidden = (i, j) => (kind.value === "decoder" ? j > i : asked[j] === "pad");
      return { looking, asked, hidden };
    };
    const map = () => found.maps[kind.value][chosen.layer][chosen.head];
    const maskIsOn = () => (kind.value === "decoder" ? causal : padding).checked;
    const name = () => `${KINDS[kind.value].title}, ${ORDER[chosen.layer]} layer, head ${chosen.head}`;

    const sentence = (i) => {
      const { looking, asked } = positions();
      const [token, writes] = looking[i];
      const strongest = [...map()[i].entries()].toSorted((a, b) => b[1] - a[1]).slice(0, NAMED);
      const listed = strongest.map(([j, weight]) => `${spoken(asked[j])} (position ${j}) ${weight.toFixed(2)}`);
      const who = `After ${spoken(token)}, to write ${spoken(writes)}, it`;
      return `${writes === undefined ? `Position ${i}, ${spoken(token)},` : who} looks most at ${listed.join(", ")}.`;
    };

    const say = () => {
      const { hidden } = positions();
      const weights = map();
      const leaked = weights.map((each, i) => each.reduce((sum, weight, j) => sum + (hidden(i, j) ? weight : 0), 0));
      const share = Math.round((100 * leaked.reduce((a, b) => a + b)) / leaked.length);
      const which = kind.value === "decoder" ? "on what comes later" : "on padding";
      const leak = maskIsOn() ? "" : ` Without the mask, ${share} % of the weight of this head lies ${which}.`;
      find("said").textContent = `${name()}. ${sentence(row)}${leak}`;
    };

    const result = () => {
      const off = [causal, padding].filter((each) => !each.checked).map((each) => `the ${each.name} mask`);
      const [written, usual] = [found, masked].map((each) => each.written.join("") + (each.ended ? "" : "…"));
      const output = find("output");
      const who = off.length ? `Without ${off.join(" and ")}, the model writes ` : "The model writes ";
      output.replaceChildren(who, plain("strong", written));
      const same = written === usual ? " It writes the same with both masks." : ` With both masks it writes ${usual}.`;
      output.append(`.${off.length ? same : ""}`);
    };

    // The row with the largest weight: it says the most.
    const sharpest = () => {
      const peaks = map().map((weights) => Math.max(...weights));
      return peaks.indexOf(Math.max(...peaks));
    };

    const choose = (i) => {
      row = i;
      for (const [j, group] of [...svg.querySelectorAll("[role=option]")].entries()) {
        group.setAttribute("tabindex", j === i ? 0 : -1);
        group.setAttribute("aria-selected", j === i);
      }
      say();
    };

    const draw = () => {
      const { looking, asked, hidden } = positions();
      const { title, left, looks, asked: below } = KINDS[kind.value];
      const room = svg.parentElement.clientWidth - left - 4;
      const cell = Math.max(15, Math.min(30, room / asked.length));
      const [width, height] = [left + cell * asked.length + 4, TOP + cell * looking.length + 4];
      row = Math.min(row, looking.length - 1);
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      svg.setAttribute("width", width);
      svg.setAttribute("height", height);
      svg.setAttribute("aria-label", `${title}: rows are positions of ${looks}, columns positions of ${below}`);
      svg.replaceChildren();
      const heads = make("g", { "aria-hidden": "true", "font-size": FONT }, svg);
      make("text", { class: "course-heads-axis", x: left, y: 14 }, heads, `looked at: ${below}`);
      const corner = kind.value === "encoder" ? "looks" : "read → write";
      make("text", { class: "course-heads-axis", x: 0, y: 34 }, heads, corner);
      for (const [j, token] of asked.entries()) {
        make("text", { x: left + (j + 0.5) * cell, y: 34, "text-anchor": "middle" }, heads, drawn(token));
      }
      const line = (_, i) => `M${left} ${TOP + i * cell}h${cell * asked.length}`;
      const lines = Array.from({ length: looking.length + 1 }, line);
      make("path", { class: "course-heads-lines", d: lines.join(""), "aria-hidden": "true" }, svg);
      for (const [i, weights] of map().entries()) {
        const group = make("g", { role: "option", "aria-label": sentence(i) }, svg);
        const y = TOP + i * cell;
        const label = { x: left - 8, y: y + cell / 2 + FONT * 0.35, "text-anchor": "end", "font-size": FONT };
        make("text", label, group, looking[i].map(drawn).join(" → "));
        for (const [j, weight] of weights.entries()) {
          const x = left + j * cell;
          const box = { x: x + 0.5, y: y + 0.5, width: cell - 1, height: cell - 1 };
          const stroke = { d: `M${x + 4} ${y + cell - 4}L${x + cell - 4} ${y + 4}` };
          if (maskIsOn() && hidden(i, j)) make("path", stroke, group);
          else make("rect", { class: "course-heads-weight", ...box, "fill-opacity": weight.toFixed(3) }, group);
        }
        const frame = { x: left + 1, y: y + 1, width: cell * asked.length - 2, height: cell - 2 };
        make("rect", { class: "course-heads-row", ...frame }, group);
        group.addEventListener("focus", () => choose(i));
        group.addEventListener("click", () => group.focus({ preventScroll: true }));
      }
      choose(row);
    };

    const fillTable = () => {
      const { looking, asked, hidden } = positions();
      const first = plain("tr", "");
      first.append(...["Position", ...asked].map((token) => plain("th", shown(token), { scope: "col" })));
      const rows = map().map((weights, i) => {
        const line = plain("tr", "");
        const cells = weights.map((weight, j) => (maskIsOn() && hidden(i, j) ? "–" : weight.toFixed(2)));
        line.append(plain("th", looking[i].map(shown).join(" → "), { scope: "row" }));
        line.append(...cells.map((cell) => plain("td", cell)));
        return line;
      });
      table.caption.textContent = `${name()}, for ${text.value.trim()}`;
      table.tHead.replaceChildren(first);
      table.tBodies[0].replaceChildren(...rows);
    };

    // A small map for each layer and head: what is chosen is drawn large.
    const drawSmall = () => {
      for (const label of figure.querySelectorAll(".course-heads-choice label")) {
        const radio = label.querySelector("input");
        const weights = found.maps[kind.value][radio.dataset.layer][radio.dataset.head];
        const shades = Array(LEVELS + 1).fill("");
        for (const [i, line] of weights.entries()) {
          for (const [j, weight] of line.entries()) shades[Math.round(weight * LEVELS)] += `M${j} ${i}h1v1h-1z`;
        }
        const small = label.querySelector("svg");
        small.setAttribute("viewBox", `0 0 ${weights[0].length} ${weights.length}`);
        small.replaceChildren();
        for (const [level, d] of shades.entries()) {
          if (level && d) make("path", { d, "fill-opacity": level / LEVELS }, small);
        }
      }
    };

    const show = () => {
      result();
      drawSmall();
      draw();
      fillTable();
    };

    // Reads the controls and computes; what the model cannot read is said, and the last maps go away.
    const compute = () => {
      const typed = text.value.trim();
      const length = [...typed].length;
      const strange = model.unknown(typed);
      let problem = "";
      if (!length) problem = "Type a date, such as 3 May 1998.";
      else if (length > record.longest) {
        const most = `The model has never read more than ${record.longest}`;
        problem = `The text has ${length} characters. ${most}; shorten it.`;
      } else if (strange !== undefined) {
        problem =
          `The model does not know the character "${strange}". ` +
          "It knows those of dates in English, German, French and Chinese.";
      }
      find("problem").textContent = problem;
      text.setAttribute("aria-invalid", problem !== "");
      find("maps").hidden = problem !== "";
      if (problem) return;
      masked = model.run(typed, { padding: PADDING });
      const chosenMasks = { causalMask: causal.checked, paddingMask: padding.checked };
      found = causal.checked && padding.checked ? masked : model.run(typed, { padding: PADDING, ...chosenMasks });
      if (row === undefined) row = sharpest();
      show();
    };

    const choice = find("choice");
    for (const [layer, heads] of model.run(text.value).maps.cross.entries()) {
      const line = plain("div", "");
      line.append(plain("span", `${ORDER[layer]} layer`));
      for (const head of heads.keys()) {
        const label = plain("label", "");
        const radio = plain("input", "", { type: "radio", "data-layer": layer, "data-head": head });
        radio.name = "course-heads-head";
        radio.checked = layer === chosen.layer && head === chosen.head;
        radio.setAttribute("aria-label", `${ORDER[layer]} layer, head ${head}`);
        radio.addEventListener("change", () => {
          chosen = { layer, head };
          show();
        });
        label.append(radio);
        make("svg", { preserveAspectRatio: "none", "aria-hidden": "true" }, label);
        label.append(plain("span", `head ${head}`));
        line.append(label);
      }
      choice.append(line);
    }

    svg.addEventListener("keydown", (event) => {
      const last = map().length - 1;
      const to = { ArrowUp: row - 1, ArrowDown: row + 1, Home: 0, End: last }[event.key];
      if (to === undefined) return;
      event.preventDefault(); // the page must not scroll away
      svg.querySelectorAll("[role=option]")[Math.max(0, Math.min(last, to))].focus();
    });
    for (const control of [text, kind, causal, padding]) control.addEventListener("input", compute);
    find("view").hidden = false;
    compute();
    let width = svg.parentElement.clientWidth;
    new ResizeObserver(() => {
      if (svg.parentElement.clientWidth === width || find("maps").hidden) return;
      width = svg.parentElement.clientWidth;
      draw();
    }).observe(svg.parentElement);
  };

  document.querySelectorAll(".course-heads").forEach(start);
});
