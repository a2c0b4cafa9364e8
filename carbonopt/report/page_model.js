"use strict";
/* What is shown, pointed at, kept and let through; everything else on the page listens to it. */

const page = { data: JSON.parse(document.getElementById("data").textContent) };

(function () {
  const count = page.data.look.length;
  const filters = new Map(); // what set it -> row => whether the row passes
  const listeners = [];

  page.count = count;
  page.hovered = -1;
  page.pinned = -1;
  page.passing = new Array(count).fill(true);

  page.listen = function (listener) {
    listeners.push(listener);
  };

  page.tell = function (what) {
    for (const listener of listeners) listener(what);
  };

  /* Point at one row and keep one; those that it changes are marked anew. */
  page.look = function (hovered, pinned) {
    page.changed = new Set([page.hovered, page.pinned, hovered, pinned].filter((row) => row >= 0));
    page.hovered = hovered;
    page.pinned = pinned;
    page.tell("focus");
  };

  page.hover = function (row) {
    if (row !== page.hovered) page.look(row, page.pinned);
  };

  page.pin = function (row) {
    page.look(page.hovered, row === page.pinned ? -1 : row);
  };

  /* Let only rows through for which `test` holds; null takes the filter away. */
  page.filter = function (name, test) {
    if (test === null) filters.delete(name);
    else filters.set(name, test);
    const tests = [...filters.values()];
    page.passing = page.passing.map((_, row) => tests.every((each) => each(row)));
    page.tell("filter");
  };

  page.reset = function () {
    filters.clear();
    page.passing.fill(true);
    page.tell("reset");
    page.tell("filter");
    page.look(-1, -1);
  };

  page.shown = () => page.passing.reduce((sum, each) => sum + (each ? 1 : 0), 0);

  /* The design that details are told of: pointed at, else kept, else the knee. */
  page.focus = function () {
    if (page.hovered >= 0) return page.hovered;
    return page.pinned >= 0 ? page.pinned : page.data.knee;
  };

  /* Mark elements that stand for rows: .out, .hovered, .pinned. */
  page.mark = function (elements, what) {
    for (const row of what === "focus" ? page.changed : elements.keys()) {
      const classes = elements[row].classList;
      classes.toggle("out", !page.passing[row]);
      classes.toggle("hovered", row === page.hovered);
      classes.toggle("pinned", row === page.pinned);
    }
  };

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    page.look(-1, -1);
    page.tell("escape");
  });
})();
