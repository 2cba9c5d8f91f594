// The admin's camera form: lines, zones and privacy masks are drawn on the camera's picture by clicking points.
// What is drawn stands in the three text fields of the form, which stay the truth: without scripts they are edited as
// text. Points are shares of the picture. Everything also works with the keyboard, and without a picture.

const KINDS = {
  lines: { word: "Line", fewest: 2, most: 2, isNamed: true },
  zones: { word: "Zone", fewest: 3, most: 100, isNamed: true },
  privacy_masks: { word: "Mask", fewest: 3, most: 100, isNamed: false },
};
const MOST_SHAPES = 50;
const STEP = 0.01;
const HELP = {
  lines: "Click the two ends of a line. People go in where the arrow points.",
  zones: "Click the corners of a zone; Enter, or a click on its first corner, finishes it.",
  privacy_masks: "Click the corners of what nobody may see; Enter, or a click on its first corner, finishes it.",
};

const fields = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, document.querySelector(`textarea[name=${kind}]`)]));
if (Object.values(fields).every(Boolean)) drawOn(fields);

function drawOn(fields) {
  const page = build(fields);
  let shapes = read();
  let draft = null; // the shape being drawn: {kind, points}
  let cursor = null; // where the keyboard would set a point
  let past = [], future = [];

  // Reading and writing the fields

  function read() {
    return Object.keys(KINDS).flatMap((kind) => parse(fields[kind].value).map((shape) => from(kind, shape))).filter(Boolean);
  }

  function parse(text) {
    try {
      const value = JSON.parse(text || "[]");
      return Array.isArray(value) ? value : [];
    } catch {
      say("One of the text fields cannot be read. Mend it, or undo.");
      return [];
    }
  }

  function from(kind, shape) {
    const points = (KINDS[kind].isNamed ? shape?.points : shape) ?? [];
    if (!Array.isArray(points) || !points.every((point) => Array.isArray(point) && point.length === 2 && point.every(Number.isFinite))) return null;
    return { kind, name: String(shape.name ?? ""), in: shape.in === "left" ? "left" : "right", points: points.map((point) => point.map(inside)) };
  }

  function write() {
    for (const kind of Object.keys(KINDS)) {
      const rows = shapes.filter((shape) => shape.kind === kind).map((shape) => {
        const points = shape.points.map((point) => point.map((share) => Number(share.toFixed(4))));
        if (!KINDS[kind].isNamed) return points;
        return { name: shape.name, points, ...(kind === "lines" ? { in: shape.in } : {}) };
      });
      fields[kind].value = JSON.stringify(rows);
    }
  }

  // Changing: every change can be undone

  function change(act) {
    past.push(JSON.stringify({ shapes, draft }));
    future = [];
    act();
    write();
    show();
  }

  function step(from, to) {
    if (!from.length) return;
    to.push(JSON.stringify({ shapes, draft }));
    ({ shapes, draft } = JSON.parse(from.pop()));
    write();
    show();
    say(from === past ? "Undone." : "Done again.");
  }

  function addPoint(x, y) {
    const kind = page.kind();
    const point = [inside(x), inside(y)];
    if (draft?.kind !== kind) draft = null;
    if (!draft && shapes.filter((shape) => shape.kind === kind).length >= MOST_SHAPES) return say(`There are ${MOST_SHAPES} already.`);
    const isSame = draft?.points.some(([a, b]) => a === point[0] && b === point[1]);
    if (isSame) return draft.points.length >= KINDS[kind].fewest ? finish() : say("There is a point here already.");
    change(() => {
      draft ??= { kind, name: freeName(kind), in: "right", points: [] };
      draft.points.push(point);
      if (draft.points.length === KINDS[kind].most) keep();
    });
    if (draft) say(`Point ${draft.points.length} of the new ${KINDS[kind].word.toLowerCase()}.`);
  }

  function finish() {
    if (!draft) return;
    const { word, fewest } = KINDS[draft.kind];
    if (draft.points.length < fewest) return say(`A ${word.toLowerCase()} needs ${fewest} points; this has ${draft.points.length}.`);
    change(keep);
  }

  function keep() {
    shapes.push(draft);
    say(`${draft.name || KINDS[draft.kind].word} is drawn. Save the camera to keep it.`);
    draft = null;
  }

  function discard() {
    if (draft) change(() => { draft = null; });
    say("The unfinished shape is gone.");
  }

  function freeName(kind) {
    const taken = new Set(shapes.map((shape) => shape.name));
    for (let number = 1; KINDS[kind].isNamed; number += 1) {
      const name = `${KINDS[kind].word} ${number}`;
      if (!taken.has(name)) return name;
    }
    return "";
  }

  function movePoint(shape, index, x, y) {
    shape.points[index] = [inside(x), inside(y)];
  }

  function removePoint(shape, index) {
    if (shape.points.length <= KINDS[shape.kind].fewest) return say("This shape needs all its points. Remove the whole shape below.");
    change(() => shape.points.splice(index, 1));
  }

  // Showing

  function show() {
    page.svg.replaceChildren(...shapes.map((shape, number) => figure(shape, number)), ...(draft ? [figure(draft, -1)] : []), ...crosshair());
    page.list.replaceChildren(...shapes.map(row));
    page.undo.disabled = !past.length;
    page.redo.disabled = !future.length;
    page.finish.hidden = page.discard.hidden = !draft;
    page.help.textContent = HELP[page.kind()];
  }

  function figure(shape, number) {
    const isOpen = number < 0 || shape.kind === "lines";
    const group = svg("g", { class: `shape shape-${shape.kind}${number < 0 ? " is-draft" : ""}` });
    const points = shape.points.map((point) => point.map((share) => share * 1000).join(",")).join(" ");
    group.append(svg(isOpen ? "polyline" : "polygon", { points, "vector-effect": "non-scaling-stroke" }));
    if (shape.kind === "lines" && shape.points.length === 2) group.append(arrow(shape));
    page.layer(group, shape, number);
    return group;
  }

  function arrow(shape) {
    // On the hand that is "in" when walking from the first point to the second, measured in pixels of the board.
    const { width, height } = page.size();
    const [[ax, ay], [bx, by]] = shape.points.map(([x, y]) => [x * width, y * height]);
    const length = Math.hypot(bx - ax, by - ay) || 1;
    const side = shape.in === "right" ? 1 : -1;
    const reach = 28;
    const [dx, dy] = [(-(by - ay) / length) * side * reach, ((bx - ax) / length) * side * reach];
    const [mx, my] = [(ax + bx) / 2, (ay + by) / 2];
    const place = (x, y) => `${(x / width) * 1000},${(y / height) * 1000}`;
    const [tipX, tipY] = [mx + dx, my + dy];
    const wing = (turn) => place(tipX - dx * 0.35 + turn * dy * 0.3, tipY - dy * 0.35 - turn * dx * 0.3);
    return svg("polyline", { class: "arrow", points: `${place(mx, my)} ${place(tipX, tipY)} ${wing(1)} ${place(tipX, tipY)} ${wing(-1)}`, "vector-effect": "non-scaling-stroke" });
  }

  function crosshair() {
    if (!cursor) return [];
    const [x, y] = cursor.map((share) => share * 1000);
    return [svg("path", { class: "crosshair", d: `M${x} 0V1000M0 ${y}H1000`, "vector-effect": "non-scaling-stroke" })];
  }

  function row(shape, number) {
    const word = KINDS[shape.kind].word;
    const item = html("li", { className: "drawing-shape" });
    const edit = (input, put) => input.addEventListener("change", () => change(() => put(input.value)));
    if (KINDS[shape.kind].isNamed) {
      const name = html("input", { type: "text", value: shape.name, maxLength: 60, id: `shape-${number}-name` });
      edit(name, (value) => { shape.name = value.trim() || freeName(shape.kind); });
      item.append(labelled(word, name));
    } else {
      item.append(html("strong", { textContent: `${word} ${shapes.filter((other, at) => other.kind === shape.kind && at <= number).length}` }));
    }
    if (shape.kind === "lines") {
      const side = html("button", { type: "button", className: "button", textContent: "Turn the arrow round", id: `shape-${number}-turn` });
      side.addEventListener("click", () => change(() => { shape.in = shape.in === "right" ? "left" : "right"; }));
      item.append(side);
    }
    const remove = html("button", { type: "button", className: "button", textContent: "Remove", id: `shape-${number}-remove`, ariaLabel: `Remove ${shape.name || item.textContent}` });
    remove.addEventListener("click", () => { change(() => shapes.splice(shapes.indexOf(shape), 1)); page.board.focus(); });
    const points = html("details", { className: "drawing-points" });
    points.append(html("summary", { textContent: "Points as numbers" }), ...shape.points.map((point, index) => pointRow(shape, number, index)));
    points.open = page.opened.has(`${shape.kind}${number}`);
    points.addEventListener("toggle", () => page.opened[points.open ? "add" : "delete"](`${shape.kind}${number}`));
    item.append(remove, points);
    return item;
  }

  function pointRow(shape, number, index) {
    const line = html("div", { className: "drawing-point" });
    ["from the left", "from the top"].forEach((where, axis) => {
      const input = html("input", { type: "number", min: 0, max: 100, step: 0.1, value: Number((shape.points[index][axis] * 100).toFixed(2)), id: `shape-${number}-${index}-${axis}` });
      input.addEventListener("change", () => {
        if (input.value === "") return show();
        change(() => { shape.points[index][axis] = inside(Number(input.value) / 100); });
        document.getElementById(input.id)?.focus();
      });
      line.append(labelled(`Point ${index + 1}, % ${where}`, input));
    });
    return line;
  }

  function say(text) {
    page.status.textContent = text;
  }

  // Hands: the pointer and the keyboard

  page.board.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const handle = event.target.closest("[data-shape]");
    const { x, y } = page.share(event);
    page.board.focus({ preventScroll: true });
    cursor = null;
    event.preventDefault();
    if (!handle) return addPoint(x, y);
    const number = Number(handle.dataset.shape), index = Number(handle.dataset.point);
    if (number < 0) return index === 0 ? finish() : undefined;
    drag(event, shapes[number], index);
  });

  function drag(event, shape, index) {
    const before = JSON.stringify({ shapes, draft });
    let hasMoved = false;
    page.board.setPointerCapture(event.pointerId);
    const move = (next) => {
      const { x, y } = page.share(next);
      hasMoved = true;
      movePoint(shape, index, x, y);
      show();
    };
    const end = () => {
      page.board.removeEventListener("pointermove", move);
      page.board.removeEventListener("pointerup", end);
      page.board.removeEventListener("pointercancel", end);
      if (!hasMoved) return;
      past.push(before);
      future = [];
      write();
      show();
    };
    page.board.addEventListener("pointermove", move);
    page.board.addEventListener("pointerup", end);
    page.board.addEventListener("pointercancel", end);
  }

  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  page.board.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
      event.preventDefault();
      return event.shiftKey ? step(future, past) : step(past, future);
    }
    const handle = event.target.closest("[data-shape]");
    const by = ARROWS[event.key]?.map((way) => way * STEP * (event.shiftKey ? 5 : 1));
    if (by) {
      event.preventDefault();
      return handle && Number(handle.dataset.shape) >= 0 ? nudge(handle, by) : moveCursor(by);
    }
    if (event.key === "Delete" && handle && Number(handle.dataset.shape) >= 0) return removePoint(shapes[handle.dataset.shape], Number(handle.dataset.point));
    if (event.key === "Escape" && draft) return discard();
    if (event.key === " " && !handle) {
      event.preventDefault();
      cursor ??= [0.5, 0.5];
      return addPoint(...cursor);
    }
    if (event.key === "Enter") {
      event.preventDefault(); // or the form would be sent
      finish();
    }
  });

  function nudge(handle, [dx, dy]) {
    const shape = shapes[handle.dataset.shape], index = Number(handle.dataset.point);
    change(() => movePoint(shape, index, shape.points[index][0] + dx, shape.points[index][1] + dy));
    page.board.querySelector(`[data-shape="${handle.dataset.shape}"][data-point="${index}"]`)?.focus();
    say(where(shape.points[index]));
  }

  function moveCursor([dx, dy]) {
    cursor = cursor ? [inside(cursor[0] + dx), inside(cursor[1] + dy)] : [0.5, 0.5];
    show();
    say(`${where(cursor)} Space sets a point.`);
  }

  page.undo.addEventListener("click", () => step(past, future));
  page.redo.addEventListener("click", () => step(future, past));
  page.finish.addEventListener("click", finish);
  page.discard.addEventListener("click", discard);
  page.onKind(() => { if (draft) discard(); show(); });
  for (const field of Object.values(fields)) {
    field.addEventListener("change", () => { past.push(JSON.stringify({ shapes, draft })); future = []; shapes = read(); show(); });
  }
  page.board.closest("form").addEventListener("submit", (event) => {
    if (!draft) return;
    event.preventDefault();
    say("A shape is not finished: finish it or discard it, then save.");
    page.board.focus();
  });
  new ResizeObserver(show).observe(page.board);
  show();
}

function build(fields) {
  const root = html("div", { className: "drawing" });
  const picture = html("img", { alt: "", hidden: true });
  const overlay = svg("svg", { viewBox: "0 0 1000 1000", preserveAspectRatio: "none", "aria-hidden": "false" });
  const board = html("div", { className: "drawing-board", tabIndex: 0 });
  board.setAttribute("role", "application");
  board.setAttribute("aria-label", "Picture to draw on. Arrow keys move a crosshair, Space sets a point, Enter finishes, Escape discards, Control Z undoes.");
  board.append(picture, overlay);
  const kinds = html("fieldset", { className: "drawing-kinds" });
  kinds.append(html("legend", { className: "visually-hidden", textContent: "What to draw" }));
  for (const [kind, { word }] of Object.entries(KINDS)) {
    const radio = html("input", { type: "radio", name: "", value: kind, checked: kind === "lines" });
    radio.setAttribute("name", "drawing-kind");
    const label = html("label", {});
    label.append(radio, ` ${word}`);
    kinds.append(label);
  }
  const tool = (textContent) => html("button", { type: "button", className: "button", textContent });
  const [undo, redo, finish, discard, fresh] = ["Undo", "Redo", "Finish the shape", "Discard the shape", "Newer picture"].map(tool);
  const tools = html("div", { className: "drawing-tools" });
  tools.append(kinds, undo, redo, finish, discard, fresh);
  const help = html("p", { className: "help" });
  const status = html("p", { className: "drawing-status" });
  status.setAttribute("role", "status");
  const list = html("ul", { className: "drawing-list" });
  root.append(tools, help, board, status, list);

  const text = html("details", { className: "drawing-text" });
  text.append(html("summary", { textContent: "As text" }));
  const rows = Object.values(fields).map((field) => field.closest(".form-row") ?? field.parentElement);
  rows[0].before(root);
  root.after(text);
  text.append(...rows);
  text.open = rows.some((line) => line.querySelector(".errorlist"));

  const address = fields.lines.dataset.picture;
  fresh.hidden = !address;
  const load = () => { picture.src = `${address}?at=${Date.now()}`; };
  picture.addEventListener("load", () => {
    board.style.aspectRatio = `${picture.naturalWidth} / ${picture.naturalHeight}`;
    picture.hidden = false;
  });
  picture.addEventListener("error", () => {
    picture.hidden = true;
    status.textContent = "There is no picture of this camera now. Shapes can be drawn all the same: the board is the whole picture.";
  });
  fresh.addEventListener("click", load);
  document.addEventListener("camera-picture", (event) => { picture.src = event.detail; });
  if (address) load();

  const size = () => ({ width: board.clientWidth || 1, height: board.clientHeight || 1 });
  return {
    board, svg: overlay, list, status, help, undo, redo, finish, discard, size,
    opened: new Set(),
    kind: () => kinds.querySelector(":checked").value,
    onKind: (act) => kinds.addEventListener("change", act),
    share: (event) => {
      const box = board.getBoundingClientRect();
      return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
    },
    layer: (group, shape, number) => {
      const { width, height } = size();
      shape.points.forEach(([x, y], index) => {
        const handle = svg("ellipse", { cx: x * 1000, cy: y * 1000, rx: (8 / width) * 1000, ry: (8 / height) * 1000, class: "handle", tabindex: number < 0 ? -1 : 0, role: "button", "vector-effect": "non-scaling-stroke", "data-shape": number, "data-point": index });
        handle.setAttribute("aria-label", `Point ${index + 1} of ${shape.name || KINDS[shape.kind].word}: ${where([x, y])} Arrow keys move it, Delete removes it.`);
        group.append(handle);
      });
      if (!shape.name || !shape.points.length) return;
      const name = svg("text", { x: 0, y: 0, class: "shape-name", transform: `translate(${shape.points[0][0] * 1000} ${shape.points[0][1] * 1000}) scale(${1000 / width} ${1000 / height}) translate(10 -10)` });
      name.textContent = shape.name;
      group.append(name);
    },
  };
}

function labelled(text, input) {
  const label = html("label", {});
  label.append(html("span", { textContent: text }), input);
  return label;
}

function where([x, y]) {
  return `${(x * 100).toFixed(1)} % from the left, ${(y * 100).toFixed(1)} % from the top.`;
}

function inside(share) {
  return Math.min(1, Math.max(0, share));
}

function html(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}

function svg(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
