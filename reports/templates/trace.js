"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const slider = document.getElementById("chosen"), step = document.getElementById("step");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).split(",").map(Number);
  const count = data.steps.length;
  const rows = [...document.querySelectorAll(".strip")].flatMap((table, k) => {
    const largest = Math.max(0, ...data.sections[k].flatMap((row) => row.values.filter((v) => v !== null)));
    return [...table.querySelectorAll("tbody tr")].map((line, n) => {
      const row = data.sections[k][n], most = k === 0 ? 1 : largest;
      return { ...row, most, canvas: line.querySelector("canvas"), cell: line.querySelector(".value") };
    });
  });
  function paint(row, at) {  // one bar of shade for each snapshot; a mark under the chosen one
    const canvas = row.canvas, ratio = window.devicePixelRatio || 1;
    const width = canvas.width = Math.max(count, Math.round(canvas.clientWidth * ratio)), height = canvas.height = Math.round(18 * ratio);
    const context = canvas.getContext("2d"), base = colour("--cell"), full = colour("--for");
    row.values.forEach((value, k) => {
      const left = Math.floor(k * width / count), right = Math.floor((k + 1) * width / count);
      if (value === null) { context.clearRect(left, 0, right - left, height); return; }
      const t = row.most > 0 ? Math.min(1, value / row.most) : 0;
      context.fillStyle = `rgb(${base.map((c, i) => Math.round(c + t * (full[i] - c))).join()})`;
      context.fillRect(left, 0, right - left, height);
    });
    context.strokeStyle = `rgb(${colour("--against").join()})`;
    context.lineWidth = 2 * ratio;
    const left = at * width / count, wide = width / count;
    context.strokeRect(left + ratio, ratio, Math.max(ratio, wide - 2 * ratio), height - 2 * ratio);
    canvas.title = `step ${data.steps[at]}: ${row.told[at]}`;
  }
  function show() {
    const at = Number(slider.value);
    if (count === 0) return;
    step.textContent = `step ${data.steps[at]} (${at + 1} of ${count})`;
    for (const row of rows) { row.cell.textContent = row.told[at]; paint(row, at); }
  }
  for (const row of rows) {
    row.canvas.addEventListener("click", (event) => {
      const box = row.canvas.getBoundingClientRect();
      slider.value = String(Math.min(count - 1, Math.floor((event.clientX - box.left) / box.width * count)));
      show();
    });
  }
  slider.addEventListener("input", show);
  window.addEventListener("resize", show);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  show();
})();
