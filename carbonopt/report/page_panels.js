"use strict";
/* Beside the plots: the design pointed at, limits to set, and the table. */

(function () {
  const data = page.data;
  const MANY = 12;
  const detail = document.getElementById("detail");
  const status = document.getElementById("status");
  const body = document.querySelector("#designs tbody");
  const rows = [...body.rows];

  page.listen((what) => what === "focus" && describe(page.focus()));
  page.listen((what) => page.mark(rows, what));
  page.listen((what) => what === "filter" && count());
  document.getElementById("reset").addEventListener("click", page.reset);
  filters(document.querySelector("#filters .filters"));
  table();
  describe(page.focus());

  function describe(row) {
    detail.replaceChildren();
    const state = row === page.pinned ? ", kept" : "";
    const knee = row === data.knee ? ", the knee" : "";
    detail.append(draw.element("h3", `Design ${row + 1}${knee}${state}`));
    const list = draw.element("dl");
    for (const variable of data.variables) {
      list.append(draw.element("dt", variable.label), draw.element("dd", variable.values[variable.codes[row]]));
    }
    for (const metric of data.metrics) {
      list.append(draw.element("dt", metric.label), draw.element("dd", draw.quantity(metric.values[row], metric.unit)));
    }
    detail.append(list);
    data.breakdowns.forEach((breakdown) => detail.append(...bars(breakdown, row)));
  }

  /* A bar whose parts add up to one metric, and in words what each part is. */
  function bars(breakdown, row) {
    const amounts = breakdown.values.map((values) => values[row] || 0);
    const total = amounts.reduce((sum, each) => sum + each, 0);
    const stack = draw.element("div", undefined, "stack");
    const words = draw.element("p", undefined, "parts");
    breakdown.parts.forEach((part, place) => {
      if (!(amounts[place] > 0)) return;
      const share = (100 * amounts[place]) / total;
      const bar = draw.coloured(draw.element("i"), part.colour);
      bar.style.width = share + "%";
      stack.append(bar);
      const word = draw.element("span");
      const key = draw.coloured(draw.element("b"), part.colour);
      word.append(key, `${part.label} ${share < 0.95 ? "<1" : Math.round(share)}\u202f%`);
      words.append(word);
    });
    return [draw.element("h4", `${breakdown.label}: ${draw.quantity(total, breakdown.unit)}`), stack, words];
  }

  function count() {
    const shown = page.shown();
    const first = data.metrics.find((m) => m.name === "carbon_ca_g") || data.metrics[0];
    let told = `${shown} of ${page.count} designs`;
    const kept = first.values.filter((value, row) => page.passing[row] && value !== null);
    if (shown && shown < page.count) {
      told += `; least ${first.label} among them: ${draw.quantity(Math.min(...kept), first.unit)}`;
    }
    status.textContent = shown ? told : `${told}: no design keeps all these limits`;
  }

  function filters(parent) {
    for (const metric of data.metrics) if (draw.varies(metric)) parent.append(limit(metric));
    for (const variable of data.variables) {
      if (variable.values.length > 1 && variable.values.length <= MANY) parent.append(choice(variable));
    }
  }

  /* A slider whose steps are the values that designs have: at most so much. */
  function limit(metric) {
    const steps = [...new Set(metric.values.filter((v) => v !== null))].sort((a, b) => a - b);
    const label = draw.element("label", metric.label + " at most ", "limit");
    const shown = draw.element("output", "any");
    const slider = draw.element("input");
    Object.assign(slider, { type: "range", min: 0, max: steps.length - 1, step: 1, value: steps.length - 1 });
    const tell = () => {
      const all = Number(slider.value) === steps.length - 1;
      shown.textContent = all ? "any" : draw.quantity(steps[slider.value], metric.unit);
      slider.setAttribute("aria-valuetext", shown.textContent);
      return all;
    };
    slider.addEventListener("input", () => {
      const most = steps[slider.value];
      page.filter(metric.name, tell() ? null : (row) => metric.values[row] !== null && metric.values[row] <= most);
    });
    page.listen((what) => {
      if (what !== "reset") return;
      slider.value = steps.length - 1;
      tell();
    });
    label.append(shown, slider);
    return label;
  }

  /* One box per value of a variable. */
  function choice(variable) {
    const group = draw.element("fieldset");
    group.append(draw.element("legend", variable.label));
    const boxes = variable.values.map((text) => {
      const label = draw.element("label");
      const box = draw.element("input");
      Object.assign(box, { type: "checkbox", checked: true });
      label.append(box, " " + text);
      group.append(label);
      return box;
    });
    group.addEventListener("change", () => {
      const all = boxes.every((box) => box.checked);
      page.filter(variable.name, all ? null : (row) => boxes[variable.codes[row]].checked);
    });
    page.listen((what) => what === "reset" && boxes.forEach((box) => (box.checked = true)));
    return group;
  }

  function table() {
    rows.forEach((line, row) => {
      line.tabIndex = row === 0 ? 0 : -1;
      line.addEventListener("pointerenter", () => page.hover(row));
      line.addEventListener("pointerleave", () => page.hover(-1));
      line.addEventListener("focus", () => page.hover(row));
      line.addEventListener("click", () => page.pin(row));
      line.addEventListener("keydown", (event) => step(event, line, row));
    });
    for (const head of document.querySelectorAll("#designs thead th")) {
      const button = draw.element("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(head));
    }
  }

  function step(event, line, row) {
    if (event.key === "Enter" || event.key === " ") {
      page.pin(row);
      event.preventDefault();
      return;
    }
    const side = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (!side) return;
    event.preventDefault();
    let next = line[side];
    while (next && next.classList.contains("out")) next = next[side];
    if (!next) return;
    line.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  function sort(head) {
    const upward = head.getAttribute("aria-sort") !== "ascending";
    const value = key(head.dataset.key);
    for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", upward ? "ascending" : "descending");
    const order = rows.map((_, row) => row).sort((a, b) => (upward ? 1 : -1) * (value(a) - value(b)) || a - b);
    body.append(...order.map((row) => rows[row]));
  }

  function key(name) {
    const place = Number(name.slice(1));
    if (name[0] === "v") return variableKey(name, place);
    if (name[0] === "m") return (row) => data.metrics[place].values[row] ?? Infinity;
    return (row) => row;
  }

  /* Variables beyond those that are drawn are compared as the table shows them. */
  function variableKey(name, place) {
    if (data.variables[place]) return (row) => data.variables[place].codes[row];
    const texts = rows.map((line) => line.cells[place + 1].textContent);
    const order = [...new Set(texts)].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    return (row) => order.indexOf(texts[row]);
  }
})();
