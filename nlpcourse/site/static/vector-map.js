// The map of word vectors, drawn from its table: hover, search, or arrow keys show a word's true neighbours.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const FONT = 13;
  const REACH = 24; // pixels within which the pointer finds a point
  const DIRECTIONS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  const make = (name, attributes, parent) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    parent?.append(element);
    return element;
  };

  const readTable = (figure) =>
    [...figure.querySelectorAll("tbody tr")].map((row) => ({
      x: Number(row.dataset.x),
      y: Number(row.dataset.y),
      word: row.cells[0].textContent,
      count: row.cells[1].textContent,
      near: row.cells[2].textContent.split(", ").map((entry) => entry.split(" ")),
    }));

  const start = (figure) => {
    const points = readTable(figure);
    const place = new Map(points.map((point, i) => [point.word, i]));
    const svg = figure.querySelector("svg");
    const said = figure.querySelector(".course-map-said");
    const search = figure.querySelector("input");
    const lines = make("g", { "aria-hidden": "true" }, svg);
    const spread = points.map((point) =>
      point.near.reduce((sum, [word]) => {
        const other = points[place.get(word)];
        return other ? sum + Math.hypot(other.x - point.x, other.y - point.y) : sum;
      }, 0),
    );
    let chosen = spread.indexOf(Math.max(...spread)); // long lines show what the plane hides

    for (const [i, point] of points.entries()) {
      point.group = make("g", { role: "option", tabindex: -1, "aria-label": point.word, "aria-selected": false }, svg);
      point.dot = make("circle", { r: 3.5 }, point.group);
      point.label = make("text", { "font-size": FONT, "text-anchor": "middle", "aria-hidden": "true" }, point.group);
      point.label.textContent = point.word;
      point.group.addEventListener("focus", () => choose(i));
    }

    // Puts a label above, below, right or left of its point, where it hides none that is there; else not at all.
    const write = (point, sides, width, taken) => {
      const half = (point.word.length * FONT * 0.6) / 2;
      const centre = Math.min(width - half - 2, Math.max(half + 2, point.px));
      const around = [
        [centre, point.py - 8],
        [centre, point.py + 8 + FONT * 0.8],
        [point.px + half + 9, point.py + FONT * 0.35],
        [point.px - half - 9, point.py + FONT * 0.35],
      ];
      for (const [x, y] of around.slice(0, sides)) {
        const box = [x - half, y - FONT, x + half, y + 3];
        const free = !taken.some((t) => t[0] < box[2] && box[0] < t[2] && t[1] < box[3] && box[1] < t[3]);
        if (free && box[0] >= 0 && box[2] <= width) {
          taken.push(box);
          point.label.setAttribute("x", x);
          point.label.setAttribute("y", y);
          point.label.removeAttribute("hidden");
          return;
        }
      }
      point.label.setAttribute("hidden", "");
    };

    // Places in pixels, so that words have one size on every screen.
    const layout = () => {
      const width = Math.max(280, svg.parentElement.clientWidth);
      const height = Math.min(560, Math.max(380, width * 0.75));
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      for (const point of points) {
        point.px = 40 + ((point.x + 1) / 2) * (width - 80);
        point.py = 24 + ((1 - point.y) / 2) * (height - 44);
        point.dot.setAttribute("cx", point.px);
        point.dot.setAttribute("cy", point.py);
      }
      choose(chosen);
    };

    const choose = (i) => {
      chosen = i;
      const near = points[i].near.map(([word]) => place.get(word)).filter((j) => j !== undefined);
      for (const [j, point] of points.entries()) {
        const role = j === i ? "course-map-chosen" : near.includes(j) ? "course-map-near" : "";
        point.group.setAttribute("class", role);
        point.group.setAttribute("tabindex", j === i ? 0 : -1);
        point.group.setAttribute("aria-selected", j === i);
        point.dot.setAttribute("r", role ? 6 : 3.5);
      }
      const asked = new Set([i, ...near]);
      const width = svg.viewBox.baseVal.width;
      const taken = [];
      for (const j of asked) write(points[j], 4, width, taken);
      for (const [j, point] of points.entries()) if (!asked.has(j)) write(point, 1, width, taken);
      lines.replaceChildren(
        ...near.map((j) => make("line", { x1: points[i].px, y1: points[i].py, x2: points[j].px, y2: points[j].py })),
      );
      const listed = points[i].near.map(([word, cosine]) => `${word}${place.has(word) ? "" : "*"} ${cosine}`);
      const absent = points[i].near.some(([word]) => !place.has(word)) ? " (* not on the map)" : "";
      const strong = document.createElement("strong");
      strong.textContent = points[i].word;
      said.replaceChildren(strong, ` (${points[i].count} times) is nearest to: ${listed.join(", ")}${absent}.`);
    };

    const nearest = (event) => {
      const box = svg.getBoundingClientRect();
      const scale = svg.viewBox.baseVal.width / box.width;
      const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
      const away = points.map((point) => Math.hypot(point.px - x, point.py - y));
      const best = away.indexOf(Math.min(...away));
      return away[best] <= REACH ? best : undefined;
    };

    const towards = ([dx, dy]) => {
      const from = points[chosen];
      let best;
      let least = Infinity;
      for (const [j, point] of points.entries()) {
        const along = (point.px - from.px) * dx + (point.py - from.py) * dy;
        const across = Math.abs((point.px - from.px) * dy) + Math.abs((point.py - from.py) * dx);
        const cost = along + 2 * across;
        if (j !== chosen && along > 0 && cost < least) [best, least] = [j, cost];
      }
      return best;
    };

    svg.addEventListener("pointermove", (event) => {
      const i = nearest(event);
      if (i !== undefined && i !== chosen && event.pointerType === "mouse") choose(i);
    });
    svg.addEventListener("click", (event) => {
      const i = nearest(event);
      if (i !== undefined) points[i].group.focus({ preventScroll: true });
    });
    svg.addEventListener("keydown", (event) => {
      const ends = { Home: 0, End: points.length - 1 };
      const i = event.key in DIRECTIONS ? towards(DIRECTIONS[event.key]) : ends[event.key];
      if (event.key in DIRECTIONS || event.key in ends) event.preventDefault(); // the page must not scroll away
      if (i !== undefined) points[i].group.focus();
    });
    search.addEventListener("input", () => {
      const wanted = search.value.trim().toLowerCase();
      if (!wanted) return;
      const i = place.get(wanted) ?? points.findIndex((point) => point.word.startsWith(wanted));
      if (i >= 0) choose(i);
      else said.textContent = `No word on the map begins with "${wanted}".`;
    });

    figure.querySelector(".course-map-view").hidden = false;
    layout();
    let width = svg.parentElement.clientWidth;
    new ResizeObserver(() => {
      if (svg.parentElement.clientWidth === width) return;
      width = svg.parentElement.clientWidth;
      layout();
    }).observe(svg.parentElement);
  };

  document.querySelectorAll(".course-map").forEach(start);
})();
