"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const images = data.elements, order = images.length, degree = data.degree;
  const number = new Map(images.map((image, g) => [image.join(), g]));
  const make = (tag, text, className) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (className) node.className = className;
    return node;
  };
  const plural = (n, one) => `${n} ${one}${n === 1 ? "" : "s"}`;
  const link = (text, target) => { const a = make("a", text); a.href = `#${target}`; return a; };
  const short = (value) => String(Number(Number(value).toPrecision(4)));

  // ---- permutations: lists of images from 0, cycles from 1; xy applies x first
  function cycles(g) {
    const image = images[g], seen = new Set();
    let text = "";
    for (let start = 0; start < degree; start++) {
      const cycle = [];
      for (let p = start; !seen.has(p); p = image[p]) { seen.add(p); cycle.push(p + 1); }
      if (cycle.length > 1) text += `(${cycle.join(" ")})`;
    }
    return text || "()";
  }
  function parse(text) {
    const body = text.replace(/,/g, " ").trim();
    if (!/^(\([\d\s]*\)\s*)+$/.test(body)) throw new Error(`expected cycles such as (1 2 3)(4 5), not “${text}”`);
    let result = images[0].slice();
    for (const [, inner] of body.matchAll(/\(([\d\s]*)\)/g)) {
      const points = inner.split(/\s+/).filter(Boolean).map((word) => Number(word) - 1);
      if (new Set(points).size !== points.length || points.some((p) => p < 0 || p >= degree)) throw new Error(`expected different points from 1 to ${degree} in a cycle, not “(${inner})”`);
      const step = new Map(points.map((p, k) => [p, points[(k + 1) % points.length]]));
      result = result.map((p) => (step.has(p) ? step.get(p) : p));
    }
    const g = number.get(result.join());
    if (g === undefined) throw new Error(`${text} is no element of ${data.group}`);
    return g;
  }
  const product = (x, y) => number.get(images[x].map((p) => images[y][p]).join());

  // ---- pictures: signed bytes, and colours from the page's own
  function column(part) {
    const raw = atob(part.bytes);
    return Float64Array.from(raw, (c) => { const v = c.charCodeAt(0); return (v > 127 ? v - 256 : v) * part.unit; });
  }
  function unpacked(text) {  // a number for each element, in a byte each or in two
    const raw = atob(text), wide = raw.length > images.length;
    return images.map((_, g) => wide ? raw.charCodeAt(2 * g) + 256 * raw.charCodeAt(2 * g + 1) : raw.charCodeAt(g));
  }
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).split(",").map(Number);
  function shade(value, most) {
    const base = colour("--cell"), full = colour(value < 0 ? "--against" : "--for"), t = most > 0 ? Math.min(1, Math.abs(value) / most) : 0;
    return base.map((c, k) => Math.round(c + t * (full[k] - c)));
  }
  function paint(canvas, width, height, most, at) {
    canvas.width = width; canvas.height = height;
    const context = canvas.getContext("2d"), pixels = context.createImageData(width, height);
    const base = colour("--cell"), plus = colour("--for"), minus = colour("--against");
    for (let r = 0, k = 0; r < height; r++) for (let c = 0; c < width; c++, k += 4) {
      const v = at(r, c), full = v < 0 ? minus : plus, t = most > 0 ? Math.min(1, Math.abs(v) / most) : 0;
      for (let j = 0; j < 3; j++) pixels.data[k + j] = base[j] + t * (full[j] - base[j]);
      pixels.data[k + 3] = 255;
    }
    context.putImageData(pixels, 0, 0);
  }
  function map(caption, width, height, shown, most, at) {
    const figure = make("figure"), canvas = make("canvas");
    paint(canvas, width, height, most, at);
    canvas.style.width = `${shown}px`; canvas.setAttribute("role", "img"); canvas.setAttribute("aria-label", caption);
    figure.append(canvas, make("figcaption", caption));
    return figure;
  }
  function byCoset(partition) {
    const all = images.map((_, g) => g);
    if (partition === null) return all;
    const coset = unpacked(data.partitions[partition]);
    return all.sort((a, b) => coset[a] - coset[b] || a - b);
  }

  // ---- a neuron
  function showNeuron(index) {
    const view = byId("neuron-view"), picture = data.neurons.find((n) => n.index === index);
    view.replaceChildren();
    if (!picture) return;
    view.append(make("h3", `Neuron ${index}`));
    const about = make("p", `${picture.kind}; reads x by ${picture.left || "–"} and y by ${picture.right || "–"}; ${picture.energy} of the energy. `);
    if (picture.circuit) about.append(link(`circuit ${picture.circuit}`, `circuit-${picture.circuit}`), " ");
    for (const name of new Set(picture.classes)) about.append(link(`subgroups ${name}`, `class-${data.lattice.nodes.findIndex((n) => n.name === name)}`), " ");
    view.append(about);
    if (!picture.L) return;
    const L = column(picture.L), R = column(picture.R), U = column(picture.U);
    const xs = byCoset(picture.x), ys = byCoset(picture.y), response = (x, y) => fired(L[x] + R[y]);
    const ends = [Math.max(...L) + Math.max(...R), Math.min(...L) + Math.min(...R)], most = Math.max(...ends.map(fired)), box = make("div", undefined, "maps");
    const byX = picture.x !== null, byY = picture.y !== null;
    const step = Math.ceil(order / 360), size = Math.ceil(order / step), shown = Math.max(180, Math.min(360, size));
    box.append(
      map("response to (x, y), elements as they come", size, size, shown, most, (r, c) => response(r * step, c * step)),
      map(byX || byY ? `response, ${[byX && "x", byY && "y"].filter(Boolean).join(" and ")} sorted by cosets` : "response, again: the label has no cosets to sort by", size, size, shown, most, (r, c) => response(xs[r * step], ys[c * step])),
    );
    const strip = (name, values, sorted) => map(name, order, 1, shown, Math.max(...values.map(Math.abs)), (_, c) => values[sorted[c]]);
    const strips = [strip(byX ? "L(x), x sorted by coset" : "L(x)", L, xs), strip(byY ? "R(y), y sorted by coset" : "R(y)", R, ys), strip(byX ? "votes on z, z sorted as x" : "votes on z", U, xs)];
    for (const one of strips) { one.firstChild.style.height = "26px"; one.firstChild.style.width = "100%"; one.className = "strip"; }
    view.append(box, ...strips);
    const ranked = images.map((_, z) => z).sort((a, b) => U[b] - U[a]);
    const say = (list) => list.map((z) => `${cycles(z)} ${short(U[z])}`).join(", ");
    const few = Math.min(5, order >> 1); // none in both lists
    if (few) view.append(make("p", `Most votes for: ${say(ranked.slice(0, few))}. Most against: ${say(ranked.slice(-few).reverse())}.${data.own ? "" : " Votes are times a power of two."}`));
  }

  // ---- circuits: rows of integers, and what they vote
  const circuits = data.circuits, kinds = data.kinds.map(unpacked);
  function fired(sum) { return data.squares ? sum * sum : Math.max(0, sum); }
  function push(circuit, a, b) { return circuit.left.rows[a].map((l, i) => fired(l + circuit.right.rows[b][i])); }
  function ballot(circuit, x, y) {
    const pushes = push(circuit, kinds[circuit.left.kind][x], kinds[circuit.right.kind][y]);
    const byKind = circuit.votes.rows.map((row) => row.reduce((sum, u, i) => sum + u * pushes[i], 0));
    return { fires: pushes.filter((p) => p > 0).length, byKind, at: (z) => byKind[kinds[circuit.votes.kind][z]] };
  }
  function labels(part) { return part.labels || part.rows.map((_, k) => cycles(kinds[part.kind].indexOf(k))); }
  function showCircuit(n) {
    const view = byId("circuit-view"), circuit = circuits.find((c) => c.number === n);
    view.replaceChildren();
    if (!circuit) return;
    view.append(make("h3", `Circuit ${n}`), make("p", `Family ${circuit.family}. It looks at ${circuit.words[0]} and at ${circuit.words[1]}, and votes on ${circuit.words[2]}.`));
    const members = make("p", "Neurons: ");
    circuit.neurons.forEach((i) => members.append(link(String(i), `neuron-${i}`), " "));
    view.append(members);
    const rows = labels(circuit.left), columns = labels(circuit.right), outcomes = labels(circuit.votes);
    if (rows.length * columns.length * outcomes.length > 6000) { view.append(make("p", `The table has ${rows.length} × ${columns.length} cells for ${outcomes.length} kinds of z: too many to show. Its votes at one pair stand in the ballot.`)); return; }
    const tables = outcomes.map(() => rows.map(() => []));
    let most = 0;
    rows.forEach((_, a) => columns.forEach((__, b) => {
      const pushes = push(circuit, a, b);
      circuit.votes.rows.forEach((row, d) => { const v = row.reduce((sum, u, i) => sum + u * pushes[i], 0) / data.scale; tables[d][a].push(v); most = Math.max(most, Math.abs(v)); });
    }));
    const met = rows.map(() => columns.map(() => new Set())), kx = kinds[circuit.left.kind], ky = kinds[circuit.right.kind], kz = kinds[circuit.votes.kind];
    const step = order > 200 ? 7 : 1; // of a large group a part of the pairs shows where products lie
    for (let x = 0; x < order; x += step) for (let y = 0; y < order; y++) met[kx[x]][ky[y]].add(kz[product(x, y)]);
    outcomes.forEach((name, d) => {
      const box = make("div", undefined, "scroll"), table = make("table", undefined, "votes"), head = make("tr");
      box.tabIndex = 0;
      table.append(make("caption", `Votes on z: ${name}; x in rows, y in columns. Framed: xy is of this kind.`));
      head.append(make("th"), ...columns.map((label) => make("th", label)));
      table.append(head);
      rows.forEach((label, a) => {
        const row = make("tr");
        row.append(make("th", label));
        columns.forEach((_, b) => {
          const cell = make("td", short(tables[d][a][b]));
          cell.style.backgroundColor = `rgb(${shade(tables[d][a][b], 1.6 * most).join()})`;
          if (met[a][b].size === 1 && met[a][b].has(d)) cell.className = "product";
          row.append(cell);
        });
        table.append(row);
      });
      box.append(table);
      view.append(box);
    });
  }

  // ---- the ballot at one pair
  const chosen = { x: 0, y: 0 };
  function vote(x, y) {
    chosen.x = x; chosen.y = y;
    byId("pick-x").value = cycles(x); byId("pick-y").value = cycles(y);
    byId("pick-error").textContent = "";
    marker();
    const out = byId("ballot-view");
    out.replaceChildren();
    const true_ = product(x, y);
    const ballots = circuits.map((circuit) => [circuit, ballot(circuit, x, y)]);
    const total = images.map((_, z) => ballots.reduce((sum, [, b]) => sum + b.at(z), data.bias.length ? data.bias[z] : 0));
    const ranked = images.map((_, z) => z).sort((a, b) => total[b] - total[a] || a - b);
    const tie = order > 1 && total[ranked[0]] === total[ranked[1]], rival = ranked.find((z) => z !== true_);
    const margin = order > 1 ? total[true_] - total[rival] : 0;
    const answer = tie ? "none: it is a tie" : cycles(ranked[0]);
    out.append(make("p", `xy = ${cycles(true_)}. The program answers ${answer}, ${!tie && ranked[0] === true_ ? "which is right" : "which is wrong"}.`, "result"));
    if (order < 2) return;
    const silent = ballots.filter(([, b]) => b.fires === 0).length;
    out.append(make("p", `${circuits.length - silent} of ${plural(circuits.length, "circuit")} fire. Votes for xy: ${short(total[true_] / data.scale)}; for the best other one, ${cycles(rival)}: ${short(total[rival] / data.scale)}; margin ${short(margin / data.scale)}.`, "sums"));
    const table = make("table"), head = make("tr"), body = make("tbody");
    for (const title of ["circuit", "family", "neurons that fire", "votes on xy", `votes on ${cycles(rival)}`, "difference"]) head.append(make("th", title));
    const line = (first, family, fires, mine, other) => {
      const row = make("tr"), cell = make("td");
      cell.append(first);
      row.append(cell, make("td", family), make("td", fires, "r"), make("td", short(mine / data.scale), "r"), make("td", short(other / data.scale), "r"), make("td", short((mine - other) / data.scale), "r"));
      body.append(row);
    };
    ballots.filter(([, b]) => b.fires > 0).sort((p, q) => Math.abs(q[1].at(true_) - q[1].at(rival)) - Math.abs(p[1].at(true_) - p[1].at(rival)))
      .forEach(([c, b]) => line(link(String(c.number), `circuit-${c.number}`), c.family, `${b.fires} of ${c.neurons.length}`, b.at(true_), b.at(rival)));
    if (data.bias.length) line(document.createTextNode("bias"), "", "", data.bias[true_], data.bias[rival]);
    line(document.createTextNode("sum"), "", "", total[true_], total[rival]);
    body.lastChild.className = "here";
    table.append(head, body);
    const box = make("div", undefined, "scroll tall");
    box.tabIndex = 0;
    box.append(table);
    out.append(box);
  }
  function typed() {
    try { vote(parse(byId("pick-x").value), parse(byId("pick-y").value)); } catch (error) { byId("pick-error").textContent = error.message; }
  }
  const grid = byId("pairs-grid");
  function marker() {
    if (!grid) return;
    const context = grid.getContext("2d"), scale = grid.width / order;
    drawGrid();
    context.strokeStyle = `rgb(${colour("--against").join()})`;
    context.lineWidth = 2;
    context.strokeRect(chosen.y * scale - 3, chosen.x * scale - 3, Math.max(6, scale + 6), Math.max(6, scale + 6));
  }
  function drawGrid() {
    const size = 480, squares = data.margins ? data.margins.rows : null, step = data.margins ? data.margins.step : 1;
    const all = squares ? squares.flat().filter((v) => v !== null) : [], most = 1;
    const low = all.reduce((a, b) => Math.min(a, b), Infinity), high = all.reduce((a, b) => Math.max(a, b), -Infinity);
    const depth = (v) => (v === null ? 0 : 0.1 + (high > low ? (0.9 * (v - low)) / (high - low) : 0.5));
    paint(grid, size, size, most, (r, c) => {
      const x = Math.floor((r / size) * order), y = Math.floor((c / size) * order);
      if (data.wrong.has(x * order + y)) return -most;
      return squares ? depth(squares[Math.floor(x / step)][Math.floor(y / step)]) : 0;
    });
  }
  data.wrong = new Set(data.wrong.map(([x, y]) => x * order + y));

  // ---- tables: sorted by their heads, filtered by a word
  function sortable(table) {
    const body = table.tBodies[0], value = (row, k) => { const t = row.cells[k].textContent.replace(/,/g, ""); const n = parseFloat(t); return /^(-?\d|less|over|–)/.test(t) && !Number.isNaN(n) ? n : t; };
    [...table.tHead.rows[0].cells].forEach((cell, k) => {
      const button = make("button", cell.textContent);
      button.type = "button";
      cell.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = cell.getAttribute("aria-sort") === "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        cell.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...body.rows].sort((a, b) => { const p = value(a, k), q = value(b, k); return typeof p === typeof q ? (p < q ? -1 : p > q ? 1 : 0) : typeof p === "number" ? -1 : 1; });
        body.append(...(down ? rows.reverse() : rows));
      });
    });
  }
  function filter(input, table) {
    const run = () => { const phrase = input.value.toLowerCase().trim(); for (const row of table.tBodies[0].rows) row.hidden = ![...row.cells].some((cell) => cell.textContent.toLowerCase().includes(phrase)); };
    input.addEventListener("input", run);
    return run;
  }
  const runs = {};
  for (const name of ["neurons", "circuits"]) { const table = byId(`table-${name}`); if (table) { sortable(table); runs[name] = filter(byId(`filter-${name}`), table); } }
  function here(name, first) { const table = byId(`table-${name}`); if (table) for (const row of table.tBodies[0].rows) row.classList.toggle("here", row.cells[0].textContent === String(first)); }

  // ---- the lattice of subgroups
  function drawLattice() {
    const box = byId("lattice-view");
    if (!box) return;
    const name = "http://www.w3.org/2000/svg", { nodes, edges, routes } = data.lattice;
    const xs = routes.flat().map(([x]) => x).concat(nodes.map((n) => n.x)), layers = Math.max(...nodes.map((n) => n.layer)) + 1;
    const low = Math.min(...xs), wide = Math.max(...xs) - low, unit = Math.max(30, Math.min(58, 900 / (wide + 1))), place = (x, layer) => [40 + (x - low) * unit, 30 + (layers - 1 - layer) * 62];
    const svg = document.createElementNS(name, "svg");
    svg.setAttribute("viewBox", `0 0 ${80 + wide * unit} ${layers * 62}`); svg.style.width = `${1.5 * (80 + wide * unit)}px`; // small ones stay small svg.setAttribute("role", "group"); svg.setAttribute("aria-label", "classes of subgroups");
    edges.forEach((_, k) => { const line = document.createElementNS(name, "polyline"); line.setAttribute("points", routes[k].map(([x, l]) => place(x, l).join()).join(" ")); svg.append(line); });
    nodes.forEach((node, k) => {
      const [x, y] = place(node.x, node.layer), a = document.createElementNS(name, "a"), rect = document.createElementNS(name, "rect"), text = document.createElementNS(name, "text"), title = document.createElementNS(name, "title");
      const width = Math.max(22, 6.6 * node.name.length + 8);
      for (const [key, value] of Object.entries({ x: x - width / 2, y: y - 10, width, height: 20, rx: 4 })) rect.setAttribute(key, value);
      text.setAttribute("x", x); text.setAttribute("y", y + 4); text.textContent = node.name;
      title.textContent = `${node.name}: order ${node.order}, ${plural(node.length, "conjugate")}, in labels of ${plural(node.used, "neuron")}`;
      a.setAttribute("href", `#class-${k}`); a.id = `node-${k}`; if (node.used) a.classList.add("used");
      a.append(title, rect, text); svg.append(a);
    });
    box.append(svg);
  }
  function showClass(k) {
    const node = data.lattice.nodes[k], view = byId("class-view");
    if (!node) return;
    document.querySelectorAll("svg a").forEach((a) => a.classList.toggle("chosen", a.id === `node-${k}`));
    view.replaceChildren(make("p", `${node.name}: order ${node.order}, ${plural(node.length, "conjugate")}, in the labels of ${plural(node.used, "neuron")}${node.used ? ":" : "."}`));
    const members = make("p");
    data.neurons.filter((n) => n.classes.includes(node.name)).forEach((n) => members.append(link(String(n.index), `neuron-${n.index}`), " "));
    view.append(members);
  }

  // ---- where a link leads: #neuron-17, #circuit-3, #class-5
  function go() {
    const [, what, text] = location.hash.match(/^#(neuron|circuit|class)-(\d+)$/) || [];
    if (!what) return;
    const n = Number(text);
    if (what === "neuron") { showNeuron(n); here("neurons", n); byId("neuron-view").scrollIntoView({ block: "nearest" }); }
    if (what === "circuit") { showCircuit(n); here("circuits", n); byId("circuit-view").scrollIntoView({ block: "nearest" }); }
    if (what === "class") { showClass(n); byId("class-view").scrollIntoView({ block: "nearest" }); }
  }
  addEventListener("hashchange", go);
  drawLattice();
  if (grid) {
    const at = (event) => { const box = grid.getBoundingClientRect(); const k = (v, w) => Math.max(0, Math.min(order - 1, Math.floor((v / w) * order))); vote(k(event.clientY - box.top, box.height), k(event.clientX - box.left, box.width)); };
    grid.addEventListener("click", at);
    grid.addEventListener("keydown", (event) => {
      const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (!step) return;
      event.preventDefault();
      vote((chosen.x + step[0] + order) % order, (chosen.y + step[1] + order) % order);
    });
    for (const name of ["pick-x", "pick-y"]) byId(name).addEventListener("change", typed);
    byId("pick").addEventListener("submit", (event) => { event.preventDefault(); typed(); });
    vote(data.start[0], data.start[1]);
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (grid) marker(); go(); });
  go();
})();
