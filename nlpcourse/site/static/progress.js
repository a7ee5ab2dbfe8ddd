// Progress in the browser: ticks at objectives, bars on the front page, a file to carry them to another machine.
(() => {
  const KEY = "nlpcourse-progress";
  const ID = /^[a-z0-9]+-[0-9]+$/;
  const text = (words) => document.createTextNode(words);
  let done = new Set();
  let kept = true; // whether this browser lets a page keep anything

  const read = () => {
    try {
      const stored = JSON.parse(localStorage.getItem(KEY) ?? "[]");
      done = new Set(Array.isArray(stored) ? stored.filter((id) => ID.test(id)) : []);
    } catch {
      kept = false;
    }
  };
  const keep = () => {
    try {
      localStorage.setItem(KEY, JSON.stringify([...done].sort()));
    } catch {
      kept = false;
    }
  };

  const showTicks = (part) => {
    const ids = part.dataset.objectives.split(" ");
    const note = part.querySelector(".course-ticks-note");
    const draw = () => {
      for (const id of ids) {
        const box = document.querySelector(`#${id} label.course-tick input`);
        if (box) box.checked = done.has(id);
      }
    };
    for (const id of ids) {
      const item = document.getElementById(id);
      if (!item) continue;
      const label = document.createElement("label");
      label.className = "course-tick";
      const box = document.createElement("input");
      box.type = "checkbox";
      const holder = item.querySelector(":scope > p") ?? item;
      const words = document.createElement("span");
      words.append(...holder.childNodes);
      label.append(box, words);
      holder.replaceChildren(label);
      item.classList.add("course-tickable");
      box.addEventListener("change", () => {
        read(); // another tab may have changed it
        box.checked ? done.add(id) : done.delete(id);
        keep();
        if (!kept) note.textContent = "This browser does not let pages keep anything, so the ticks end with this page.";
      });
    }
    note.hidden = false;
    draw();
    window.addEventListener("storage", () => {
      read();
      draw();
    });
  };

  const showBars = (part) => {
    const topics = JSON.parse(part.querySelector("script").textContent);
    const bars = part.querySelector(".course-progress-bars");
    const said = part.querySelector(".course-progress-said");
    const file = part.querySelector("input[type=file]");
    const draw = () => {
      bars.replaceChildren(
        ...topics.map(({ title, objectives }) => {
          const count = objectives.filter((id) => done.has(id)).length;
          const label = document.createElement("label");
          const bar = document.createElement("progress");
          bar.max = objectives.length;
          bar.value = count;
          const name = document.createElement("span");
          name.append(text(`${title}: ${count} of ${objectives.length} objectives`));
          label.append(name, bar);
          return label;
        }),
      );
    };
    const actions = {
      save() {
        const content = { course: "nlpcourse", version: 1, done: [...done].sort() };
        const link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }));
        link.download = "nlpcourse-progress.json";
        link.click();
        URL.revokeObjectURL(link.href);
        said.textContent = `Saved ${done.size} ticks in nlpcourse-progress.json.`;
      },
      load() {
        file.click();
      },
      clear() {
        if (done.size === 0 || !window.confirm(`Forget all ${done.size} ticks?`)) return;
        done.clear();
        keep();
        draw();
        said.textContent = "All ticks are cleared.";
      },
    };
    file.addEventListener("change", async () => {
      try {
        const content = JSON.parse(await file.files[0].text());
        if (content.course !== "nlpcourse" || !Array.isArray(content.done)) throw new Error();
        const found = content.done.filter((id) => ID.test(id));
        const fresh = found.filter((id) => !done.has(id)).length;
        found.forEach((id) => done.add(id));
        keep();
        draw();
        said.textContent = `Loaded ${found.length} ticks, ${fresh} of them new.`;
      } catch {
        said.textContent = "That file holds no progress of this course; choose a file saved here.";
      }
      file.value = "";
    });
    part.addEventListener("click", (event) => actions[event.target.dataset?.action]?.());
    bars.hidden = part.querySelector(".course-progress-buttons").hidden = false;
    draw();
    if (!kept) said.textContent = "This browser does not let pages keep anything.";
    window.addEventListener("storage", () => {
      read();
      draw();
    });
  };

  read();
  document.querySelectorAll(".course-ticks").forEach(showTicks);
  document.querySelectorAll(".course-progress").forEach(showBars);
})();
