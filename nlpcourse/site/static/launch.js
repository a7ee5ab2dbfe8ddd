// The link to a JupyterHub, made from the address that a reader gives; the browser remembers the address.
(() => {
  const KEY = "nlpcourse-hub";
  for (const form of document.querySelectorAll(".course-hub")) {
    const field = form.querySelector("input");
    const said = form.querySelector(".course-hub-said");
    try {
      field.value = localStorage.getItem(KEY) ?? "";
    } catch {
      // a browser that keeps nothing asks again
    }
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const hub = new URL(field.value);
      if (!["https:", "http:"].includes(hub.protocol)) {
        said.textContent = "The address begins with https:// or http://.";
        return;
      }
      const base = `${hub.origin}${hub.pathname}`.replace(/\/(hub\/.*)?$/, "");
      try {
        localStorage.setItem(KEY, base);
      } catch {
        // as above
      }
      const link = document.createElement("a");
      link.href = base + form.dataset.path;
      link.textContent = `Open the notebook on ${hub.host}`;
      said.replaceChildren(link);
      link.focus();
    });
  }
})();
