// Beam search as a tree, from the page's own search: each step first grows the tree by a round, then cuts it.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const ROW = 24; // pixels from leaf to leaf
  const NARROWEST = 330; // below this width the drawing scrolls inside its frame

  const make = (name, attributes, parent, text) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  };

  // The nodes of all rounds of a search, each below its parent; a leaf takes a row of its own.
  const plant = (rounds, end) => {
    const root = { tokens: [], children: [], depth: 0, kept: true };
    const at = new Map([["", root]]);
    for (const [i, candidates] of rounds.entries()) {
      for (const [tokens, probability, kept] of candidates) {
        const node = { tokens, probability, kept, children: [], depth: i + 1, finished: tokens.at(-1) === end };
        node.parent = at.get(JSON.stringify(tokens.slice(0, -1))) ?? root;
        node.parent.children.push(node);
        at.set(JSON.stringify(tokens), node);
      }
    }
    let rows = 0;
    const place = (node) => {
      node.children.forEach(place);
      const [first, last] = [node.children[0], node.children.at(-1)];
      node.row = first ? (first.row + last.row) / 2 : rows++;
    };
    place(root);
    return { nodes: [...at.values()].slice(1), root, rows };
  };

  const start = (figure) => {
    const { searches, end } = JSON.parse(figure.querySelector("script").textContent);
    const svg = figure.querySelector("svg");
    const said = figure.querySelector(".course-beam-said");
    const size = figure.querySelector("select");
    const button = Object.fromEntries([...figure.querySelectorAll("button")].map((each) => [each.name, each]));
    let tree;
    let step = 0; // an odd step shows the candidates of a round, the even one after it which of them are kept

    const words = (node) => `"${node.tokens.join(" ")}" ${node.probability.toFixed(3)}`;
    const best = (nodes) => nodes.toSorted((a, b) => b.probability - a.probability);

    const say = () => {
      const rounds = searches[size.value].length;
      const round = Math.ceil(step / 2);
      const now = tree.nodes.filter((node) => node.depth === round);
      const kept = best(now.filter((node) => node.kept));
      if (!step) return `Nothing is written yet. Beam size ${size.value}.`;
      if (step % 2) return `Round ${round}: every open beginning is continued, which gives ${now.length} candidates.`;
      const cut = `Round ${round}: kept ${kept.map(words).join(", ")}; dropped ${now.length - kept.length}.`;
      if (round < rounds) return cut;
      const finished = tree.nodes.filter((node) => node.kept && node.finished);
      return `${cut} The search ends. The best finished sequence is ${words(best(finished)[0])}.`;
    };

    const draw = () => {
      const rounds = searches[size.value].length;
      const width = Math.max(NARROWEST, svg.parentElement.clientWidth);
      const font = width < 500 ? 11 : 13;
      const column = (width - 20) / rounds;
      const label = Math.min(column - 14, 11 * font * 0.58 + 10);
      const x = (node) => (node.depth ? 16 + (node.depth - 1) * column : 0);
      const y = (node) => (node.row + 0.5) * ROW;
      const height = tree.rows * ROW + 4;
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      svg.setAttribute("width", width);
      svg.setAttribute("height", height);
      svg.replaceChildren();
      const seen = tree.nodes.filter((node) => node.depth <= Math.ceil(step / 2));
      const finished = best(seen.filter((node) => node.kept && node.finished));
      const over = step === 2 * rounds;
      for (const node of seen) {
        const decided = node.depth <= Math.floor(step / 2);
        const kind = !decided ? "open" : over && node === finished[0] ? "best" : node.kept ? "kept" : "dropped";
        const group = make("g", { class: `course-beam-${kind}` }, svg);
        const from = node.depth > 1 ? x(node.parent) + label : 0;
        make("line", { x1: from, y1: y(node.parent), x2: x(node), y2: y(node) }, group);
        const [cx, cy] = [x(node), y(node)];
        if (kind === "dropped") make("path", { d: `M${cx - 4} ${cy - 4}l8 8m0 -8l-8 8` }, group);
        else if (node.finished) make("rect", { x: cx - 5, y: cy - 5, width: 10, height: 10 }, group);
        else make("circle", { cx, cy, r: 5 }, group);
        const shown = `${node.tokens.at(-1)} ${node.probability.toFixed(3).slice(1)}`;
        make("text", { x: cx + 9, y: cy + font * 0.35, "font-size": font }, group, shown);
      }
      // A disabled button loses the focus, and with it the keys.
      const focused = document.activeElement;
      button.back.disabled = !step;
      button.step.disabled = over;
      if (over && focused === button.step) button.back.focus();
      if (!step && focused === button.back) button.step.focus();
      said.textContent = say();
      svg.setAttribute("aria-label", `A tree with ${seen.length} nodes. ${said.textContent}`);
    };

    const go = (to) => {
      const last = 2 * searches[size.value].length;
      step = Math.max(0, Math.min(last, to));
      draw();
    };
    const choose = () => {
      tree = plant(searches[size.value], end);
      go(0);
    };

    button.step.addEventListener("click", () => go(step + 1));
    button.back.addEventListener("click", () => go(step - 1));
    button.again.addEventListener("click", () => go(0));
    size.addEventListener("input", choose);
    figure.addEventListener("keydown", (event) => {
      const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!move || event.target === size || event.target.closest("details")) return;
      event.preventDefault(); // the drawing must not scroll instead
      go(step + move);
    });
    figure.querySelector(".course-beam-view").hidden = false;
    tree = plant(searches[size.value], end);
    draw();
    let width = svg.parentElement.clientWidth;
    new ResizeObserver(() => {
      if (svg.parentElement.clientWidth === width) return;
      width = svg.parentElement.clientWidth;
      draw();
    }).observe(svg.parentElement);
  };

  document.querySelectorAll(".course-beam").forEach(start);
})();
