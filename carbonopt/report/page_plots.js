"use strict";
/* Scatter plots of pairs of objectives and parallel coordinates, linked through the page. */

(function () {
  const data = page.data;
  const WIDTH = 400;
  const HEIGHT = 310;
  const BOX = { left: 52, right: 10, top: 10, bottom: 40 };
  const NEAR = 16;
  const SIZE = data.look.length > 600 ? 0.45 : data.look.length > 150 ? 0.65 : 0.85;
  const brushes = [];

  const legend = document.getElementById("legend");
  for (const look of data.looks) {
    const entry = draw.element("span");
    const icon = draw.svg("svg", { width: 14, height: 14, viewBox: "-7 -7 14 14", "aria-hidden": true });
    const mark = draw.svg("path", { d: draw.shape(look.marker), class: "swatch" }, icon);
    draw.coloured(mark, look.colour);
    entry.append(icon, look.label);
    legend.append(entry);
  }
  if (data.metrics.some((m) => m.cloud && m.cloud.length)) {
    legend.append(draw.element("span", "grey: dominated designs"));
  }
  if (data.metrics.some((m) => m.exact && m.exact.length)) {
    legend.append(draw.element("span", "rings: exact front"));
  }

  function frame(parent, width, height, label) {
    const svg = draw.svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
    parent.append(svg);
    return svg;
  }

  function axes(svg, x, y, across, up) {
    const bottom = HEIGHT - BOX.bottom;
    for (const tick of x.ticks) {
      draw.svg("path", { class: "grid", d: `M${x(tick)} ${BOX.top}V${bottom}` }, svg);
      draw.text(svg, x(tick), bottom + 14, draw.number(tick), { class: "tick", "text-anchor": "middle" });
    }
    for (const tick of y.ticks) {
      draw.svg("path", { class: "grid", d: `M${BOX.left} ${y(tick)}H${WIDTH - BOX.right}` }, svg);
      draw.text(svg, BOX.left - 5, y(tick) + 3, draw.number(tick), { class: "tick", "text-anchor": "end" });
    }
    draw.svg("path", { class: "axis", d: `M${BOX.left} ${BOX.top}V${bottom}H${WIDTH - BOX.right}` }, svg);
    const middle = (BOX.left + WIDTH - BOX.right) / 2;
    draw.text(svg, middle, HEIGHT - 6, draw.title(across), { "text-anchor": "middle" });
    const turned = { "text-anchor": "middle", transform: `rotate(-90 12 ${HEIGHT / 2 - 15})` };
    draw.text(svg, 12, HEIGHT / 2 - 15, draw.title(up), turned);
  }

  function scatter(across, up, number) {
    const label = `${across.label} against ${up.label}, ${page.count} designs; the table below has their numbers`;
    const svg = frame(document.getElementById("scatters"), WIDTH, HEIGHT, label);
    const x = draw.scale(across, BOX.left, WIDTH - BOX.right);
    const y = draw.scale(up, HEIGHT - BOX.bottom, BOX.top);
    axes(svg, x, y, across, up);
    const dots = zipped(across.cloud, up.cloud).map(([a, b]) => `M${round(x(a))} ${round(y(b))}h0`);
    draw.svg("path", { class: "cloud", d: dots.join("") }, svg);
    const rings = zipped(across.exact, up.exact).map(
      ([a, b]) => `M${round(x(a) - 6)} ${round(y(b))}a6 6 0 1 0 12 0a6 6 0 1 0 -12 0`
    );
    draw.svg("path", { class: "exact", d: rings.join("") }, svg);
    const places = across.values.map((value, row) => [x(value), y(up.values[row])]);
    const layer = draw.svg("g", {}, svg);
    const marks = places.map(([a, b], row) => {
      const look = data.looks[data.look[row]];
      const attributes = { class: "mark", d: draw.shape(look.marker), transform: `translate(${round(a)} ${round(b)}) scale(${SIZE})` };
      return draw.coloured(draw.svg("path", attributes, layer), look.colour);
    });
    follow(layer, marks);
    pointAt(svg, ([a, b]) => nearest(places, a, b));
    brush(svg, places, number);
  }

  /* Mark elements as their rows are, and lift those in focus above the others. */
  function follow(layer, elements) {
    page.listen((what) => {
      page.mark(elements, what);
      if (what !== "focus") return;
      for (const row of [page.pinned, page.hovered]) if (row >= 0) layer.append(elements[row]);
    });
  }

  function zipped(first, second) {
    const pairs = (first || []).map((value, row) => [value, (second || [])[row]]);
    return pairs.filter(([a, b]) => a !== null && b !== null && b !== undefined);
  }

  const round = (value) => Math.round(value * 10) / 10;

  function nearest(places, a, b) {
    let best = -1;
    let least = NEAR * NEAR;
    places.forEach(([x, y], row) => {
      const away = (x - a) * (x - a) + (y - b) * (y - b);
      if (page.passing[row] && away < least) [best, least] = [row, away];
    });
    return best;
  }

  function spot(svg, event) {
    const box = svg.getBoundingClientRect();
    const view = svg.viewBox.baseVal;
    return [
      ((event.clientX - box.left) / box.width) * view.width,
      ((event.clientY - box.top) / box.height) * view.height,
    ];
  }

  function pointAt(svg, find) {
    svg.addEventListener("pointermove", (event) => page.hover(find(spot(svg, event))));
    svg.addEventListener("pointerleave", () => page.hover(-1));
    svg.addEventListener("click", (event) => {
      const row = find(spot(svg, event));
      if (row >= 0 && !svg.dragged) page.pin(row);
      svg.dragged = false;
    });
  }

  /* A dragged rectangle lets only the designs within it through; a click beside one lifts it. */
  function brush(svg, places, number) {
    const area = draw.svg("rect", { class: "brush", visibility: "hidden" }, svg);
    let from = null;
    const lift = () => {
      area.setAttribute("visibility", "hidden");
      page.filter("brush" + number, null);
    };
    brushes.push(() => area.setAttribute("visibility", "hidden"));
    svg.addEventListener("pointerdown", (event) => {
      from = spot(svg, event);
      svg.dragged = false;
    });
    svg.addEventListener("pointermove", (event) => {
      if (!from || !event.buttons) return;
      const to = spot(svg, event);
      if (!svg.dragged && Math.hypot(to[0] - from[0], to[1] - from[1]) < 5) return;
      svg.dragged = true;
      const [left, right] = [from[0], to[0]].sort((a, b) => a - b);
      const [top, bottom] = [from[1], to[1]].sort((a, b) => a - b);
      const shape = { x: left, y: top, width: right - left, height: bottom - top, visibility: "visible" };
      for (const key in shape) area.setAttribute(key, shape[key]);
      page.filter("brush" + number, (row) => {
        const [a, b] = places[row];
        return a >= left && a <= right && b >= top && b <= bottom;
      });
    });
    svg.addEventListener("pointerup", (event) => {
      if (from && !svg.dragged && nearest(places, ...spot(svg, event)) < 0) lift();
      from = null;
    });
    page.listen((what) => what === "escape" && lift());
  }
  page.listen((what) => what === "reset" && brushes.forEach((hide) => hide()));

  function parallel() {
    const columns = [
      ...data.variables.filter((v) => v.values.length > 1).map(steps),
      ...data.metrics.filter((m) => m.objective || (m.name === "area_mm2" && draw.varies(m))).map(amounts),
    ];
    const width = 860;
    const height = 330;
    const label = `All ${page.count} designs across ${columns.length} axes; the table below has their numbers`;
    const svg = frame(document.getElementById("parallel"), width, height, label);
    const at = (place) => 60 + (place * (width - 120)) / Math.max(columns.length - 1, 1);
    const lines = draw.svg("g", {}, svg);
    const paths = data.look.map((kind, row) => {
      const points = columns.map((column, place) => `${round(at(place))} ${round(column.place(row))}`);
      const line = draw.svg("path", { class: "line", d: "M" + points.join("L") }, lines);
      return draw.coloured(line, data.looks[kind].colour);
    });
    columns.forEach((column, place) => axis(svg, column, at(place), place));
    follow(lines, paths);
    pointAt(svg, ([a, b]) => nearestLine(columns, at, a, b));
  }

  function nearestLine(columns, at, a, b) {
    const last = Math.max(columns.length - 2, 0);
    let left = 0;
    while (left < last && at(left + 1) < a) left += 1;
    const right = Math.min(left + 1, columns.length - 1);
    const share = right > left ? (a - at(left)) / (at(right) - at(left)) : 0;
    let best = -1;
    let least = NEAR;
    for (let row = 0; row < page.count; row += 1) {
      const y = columns[left].place(row) * (1 - share) + columns[right].place(row) * share;
      if (page.passing[row] && Math.abs(y - b) < least) [best, least] = [row, Math.abs(y - b)];
    }
    return best;
  }

  function axis(svg, column, x, place) {
    const group = draw.svg("g", {}, svg);
    draw.svg("path", { class: "axis", d: `M${x} 34V312` }, group);
    const shifted = place % 2 ? 24 : 12;
    draw.text(group, x, shifted, column.title, { "text-anchor": "middle" });
    for (const [y, text] of column.ticks) {
      draw.text(group, x + 5, y + 3, text, { class: "tick halo" });
    }
  }

  function steps(variable) {
    const gap = 278 / Math.max(variable.values.length - 1, 1);
    const y = (code) => 312 - code * gap;
    return {
      title: variable.label,
      place: (row) => y(variable.codes[row]),
      ticks: variable.values.map((text, code) => [y(code), text]),
    };
  }

  function amounts(metric) {
    const own = Object.assign({}, metric, { cloud: [], exact: [] });
    const scale = draw.scale(own, 312, 34);
    return {
      title: draw.title(metric),
      place: (row) => scale(metric.values[row]),
      ticks: scale.ticks.map((value) => [scale(value), draw.number(value)]),
    };
  }

  data.pairs.forEach(([first, second], number) => scatter(data.metrics[first], data.metrics[second], number));
  parallel();
})();
