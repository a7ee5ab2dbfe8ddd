// Guesses at a hidden word after each layer: the reader chooses a sentence and a word, by pointer or arrow keys.
(() => {
  const make = (name, parent, text, attributes = {}) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    parent.append(element);
    return element;
  };
  const percent = (share) => (share > 0 && share < 0.005 ? "< 1 %" : `${Math.round(100 * share)} %`);

  const start = (figure, number) => {
    const texts = JSON.parse(figure.querySelector("script").textContent);
    const select = figure.querySelector("select");
    const words = figure.querySelector(".course-masked-words");
    const said = figure.querySelector(".course-masked-said");
    const scroll = figure.querySelector(".course-masked-scroll");

    const cell = (row, [token, share], truth) => {
      const right = token === truth;
      const shown = make("td", row, undefined, right ? { class: "course-masked-right" } : {});
      make("span", shown, right ? `${token} ✓` : token);
      make("span", shown, percent(share), { class: "course-masked-share" });
      make("span", shown, undefined, { class: "course-masked-bar", style: `width: ${100 * share}%`, "aria-hidden": "true" });
    };

    const show = (place) => {
      const { tokens, guesses, truth } = texts[select.value];
      const [word, layers] = [tokens[place], guesses[place]];
      const table = document.createElement("table");
      table.className = "table";
      const head = make("tr", make("thead", table));
      make("td", head);
      for (const layer of layers.keys()) make("th", head, layer ? `Layer ${layer}` : "Layer 0 (input)", { scope: "col" });
      const body = make("tbody", table);
      for (const rank of layers[0].keys()) {
        const row = make("tr", body);
        make("th", row, `${rank + 1}.`, { scope: "row" });
        for (const layer of layers) cell(row, layer[rank], word);
      }
      scroll.replaceChildren(table);
      const shares = truth[place].map(percent);
      const first = layers.findIndex((layer) => layer[0][0] === word);
      const best = first < 0 ? "No layer has it as its first guess" : `Layer ${first} is the first whose first guess is right`;
      said.textContent = `Hidden: "${word}". Its probability after layers 0 to ${layers.length - 1}: ${shares.join(", ")}. ${best}.`;
    };

    const list = () => {
      words.replaceChildren();
      const { tokens, truth } = texts[select.value];
      for (const [place, token] of tokens.entries()) {
        const label = make("label", words);
        const input = make("input", label, undefined, { type: "radio", name: `course-masked-${number}`, value: place });
        make("span", label, token);
        input.addEventListener("change", () => show(place));
      }
      // The word that the layers do most for
      const gain = truth.map((shares) => shares.at(-1) - shares[0]);
      const place = gain.indexOf(Math.max(...gain));
      words.querySelectorAll("input")[place].checked = true;
      show(place);
    };

    select.addEventListener("change", list);
    figure.querySelector(".course-masked-view").hidden = false;
    list();
  };

  document.querySelectorAll(".course-masked").forEach(start);
})();
