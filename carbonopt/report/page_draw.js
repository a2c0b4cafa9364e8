"use strict";
/* Numbers as text, elements, marks and axes. */

const draw = {};

(function () {
  const SVG = "http://www.w3.org/2000/svg";

  /* Shapes of the marks of figures, 10 units across. */
  const SHAPES = {
    o: "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0Z",
    s: "M-4.4-4.4H4.4V4.4H-4.4Z",
    "^": "M0-5.4L5.2 4H-5.2Z",
    v: "M0 5.4L5.2-4H-5.2Z",
    "<": "M-5.4 0L4-5.2V5.2Z",
    ">": "M5.4 0L-4-5.2V5.2Z",
    D: "M0-5.6L5.6 0L0 5.6L-5.6 0Z",
    P: "M-1.8-5.2H1.8V-1.8H5.2V1.8H1.8V5.2H-1.8V1.8H-5.2V-1.8H-1.8Z",
    X: "M-5-2.5L-2.5-5L0-2.5L2.5-5L5-2.5L2.5 0L5 2.5L2.5 5L0 2.5L-2.5 5L-5 2.5L-2.5 0Z",
  };

  draw.shape = (marker) => SHAPES[marker] || SHAPES.o;

  draw.number = function (value) {
    if (value === null || !Number.isFinite(value)) return "-";
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2);
    return Number(value.toPrecision(4)).toLocaleString("en-US", { maximumFractionDigits: 6 });
  };

  draw.quantity = (value, unit) => draw.number(value) + (unit ? "\u202f" + unit : "");

  draw.title = (column) => column.label + (column.unit ? " [" + column.unit + "]" : "");

  /* Whether designs differ in a metric. */
  draw.varies = (metric) => new Set(metric.values.filter((v) => v !== null)).size > 1;

  draw.element = function (name, content, classes) {
    const element = document.createElement(name);
    if (content !== undefined) element.textContent = content;
    if (classes) element.className = classes;
    return element;
  };

  draw.svg = function (name, attributes, parent) {
    const element = document.createElementNS(SVG, name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    if (parent) parent.appendChild(element);
    return element;
  };

  draw.text = function (parent, x, y, text, attributes) {
    const element = draw.svg("text", Object.assign({ x: x, y: y }, attributes), parent);
    element.textContent = text;
    return element;
  };

  draw.coloured = function (element, colour) {
    element.style.setProperty("--c", colour);
    return element;
  };

  /* Map a column onto [from, to]; with a margin, so that no mark lies on an axis. */
  draw.scale = function (column, from, to) {
    const lists = [column.values, column.cloud || [], column.exact || []];
    const all = lists.flat().filter((v) => v !== null && (!column.log || v > 0));
    const turn = column.log ? Math.log10 : (v) => v;
    let low = Math.min(...all.map(turn));
    let high = Math.max(...all.map(turn));
    const margin = 0.05 * (high - low) || 0.5 * Math.abs(high) || 0.5;
    low -= margin;
    high += margin;
    const place = (v) => from + ((turn(v) - low) / (high - low)) * (to - from);
    place.ticks = column.log ? logTicks(low, high) : ticks(low, high);
    return place;
  };

  function ticks(low, high) {
    const rough = (high - low) / 5;
    const power = Math.pow(10, Math.floor(Math.log10(rough)));
    const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= rough);
    const found = [];
    for (let i = Math.ceil(low / step); i * step <= high; i += 1) found.push(i * step);
    return found.map((v) => Number(v.toPrecision(10)));
  }

  function logTicks(low, high) {
    if (high - low < 0.7) return ticks(Math.pow(10, low), Math.pow(10, high));
    const factors = high - low < 2.6 ? [1, 2, 5] : [1];
    const found = [];
    for (let power = Math.floor(low); power <= Math.ceil(high); power += 1) {
      for (const factor of factors) {
        const value = Number((factor * Math.pow(10, power)).toPrecision(3));
        if (Math.log10(value) >= low && Math.log10(value) <= high) found.push(value);
      }
    }
    return found;
  }
})();
