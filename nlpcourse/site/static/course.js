// Repairs that only a whole page can get: names for unnamed switches, and the keyboard for what scrolls sideways.
document.addEventListener("DOMContentLoaded", () => {
  const wide = document.querySelectorAll(".pst-scrollable-table-container, div.math, .cell_output pre");
  for (const element of wide) {
    element.tabIndex = 0;
  }
  const home = document.querySelector(".bd-sidebar-primary .navbar-brand")?.closest(".sidebar-primary-item");
  home?.setAttribute("role", "navigation");
  home?.setAttribute("aria-label", "Home");
  for (const summary of document.querySelectorAll(".bd-sidebar-primary summary")) {
    const topic = summary.closest("li").querySelector("a").textContent.trim();
    summary.setAttribute("aria-label", `Show or hide the pages of ${topic}`);
  }
});
