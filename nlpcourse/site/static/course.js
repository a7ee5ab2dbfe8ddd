// Small repairs that only a running page needs: what scrolls sideways can be reached with the keyboard.
document.addEventListener("DOMContentLoaded", () => {
  const wide = document.querySelectorAll(".pst-scrollable-table-container, div.math, .cell_output pre");
  for (const element of wide) {
    element.tabIndex = 0;
  }
});
