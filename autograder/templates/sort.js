// Sorts a table by the column whose heading is pressed; a second press turns the order round.
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const heading = button.closest("th");
    const row = heading.parentElement;
    const column = [...row.children].indexOf(heading);
    const descending = heading.getAttribute("aria-sort") === "ascending";
    for (const other of row.children) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const body = heading.closest("table").tBodies[0];
    const key = (tr) => tr.children[column].dataset.sort;
    const numeric = heading.classList.contains("number");
    const compare = (a, b) => (numeric ? Number(key(a)) - Number(key(b)) : key(a).localeCompare(key(b)));
    const rows = [...body.rows].sort(compare);
    body.append(...(descending ? rows.reverse() : rows));
  });
}
