// The photos behind a bar, each with how many of its nearest have its label.

import { ask } from "./api.js";
import { Grid } from "./grid.js";
import { keys } from "./keys.js";
import { say } from "./notices.js";

const element = document.getElementById("grid");
const order = document.getElementById("tools").elements.order;
const grid = new Grid(element, { onStale: load });

async function load() {
  const { metric, label, k } = element.dataset;
  try {
    const found = await ask("/api/evaluation/photos", { metric, label, k, order: order.value });
    const count = found.rows.length;
    document.getElementById("count").textContent =
      `${count.toLocaleString()} ${count === 1 ? "photo" : "photos"}`;
    grid.show(found.rows, found.state, new Map(found.rows.map((row, i) => [row, found.notes[i]])));
  } catch (error) {
    say(error.message, { bad: true, stays: true });
  }
}

order.addEventListener("change", load);
keys([
  ["ArrowDown ArrowRight", "into the photos, and through them", () => {
    if (element.contains(document.activeElement)) return false;
    grid.go(grid.active);
    return true;
  }],
]);
load();
