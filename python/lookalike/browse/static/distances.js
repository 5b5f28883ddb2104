// Which distance: bars that grow while the evaluation goes on.

import { ask } from "./api.js";
import { say } from "./notices.js";

const select = document.getElementById("k");
const bars = document.getElementById("bars");
const matrix = document.getElementById("matrix");
const progress = document.getElementById("progress");
const more = document.getElementById("more");
const POLL = 500;

const percent = (share) => `${(100 * share).toFixed(1)} %`;

function photos(metric, k, label) {
  const question = new URLSearchParams({ metric, k });
  if (label !== undefined) question.set("label", label);
  return `/distances/photos?${question}`;
}

function drawBars(found) {
  const values = found.metrics.map((each) => each.precision);
  const best = Math.max(...values);
  for (const each of found.metrics) {
    const line = bars.querySelector(`[data-metric="${each.name}"]`);
    const link = line.querySelector("a");
    link.href = photos(each.name, found.k);
    link.title = `precision ${percent(each.precision)}, recall ${percent(each.recall)}`;
    line.querySelector(".fill").style.width = `${100 * each.precision}%`;
    line.querySelector(".value").textContent = percent(each.precision);
    const leads = each.precision === best && Math.min(...values) < best;
    line.classList.toggle("is-best", leads);
    link.setAttribute("aria-label",
      `${each.name}: ${percent(each.precision)}${leads ? ", the best" : ""}. Show its photos`);
  }
}

function headline(found) {
  const line = document.createElement("tr");
  for (const name of ["label", "photos", ...found.metrics.map((each) => each.name)]) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = name;
    line.append(cell);
  }
  const head = document.createElement("thead");
  head.append(line);
  return head;
}

function drawMatrix(found) {
  const body = document.createElement("tbody");
  for (const [place, [label, count]] of found.categories.entries()) {
    const values = found.metrics.map((each) => each.categories[place]);
    if (values.every((value) => value === null)) continue;
    const best = Math.max(...values);
    const line = document.createElement("tr");
    const name = document.createElement("th");
    name.scope = "row";
    name.textContent = label;
    const size = document.createElement("td");
    size.className = "number";
    size.textContent = count.toLocaleString();
    line.append(name, size);
    for (const [number, value] of values.entries()) {
      const cell = document.createElement("td");
      const link = document.createElement("a");
      link.href = photos(found.metrics[number].name, found.k, label);
      link.setAttribute("aria-label",
        `${label}, ${found.metrics[number].name}: ${percent(value)}. Show its photos`);
      const fill = document.createElement("span");
      fill.className = "fill";
      fill.style.width = `${100 * value}%`;
      const text = document.createElement("span");
      text.className = "value";
      text.textContent = (100 * value).toFixed(0);
      link.append(fill, text);
      cell.append(link);
      cell.classList.toggle("is-best", value === best && Math.min(...values) < best);
      line.append(cell);
    }
    body.append(line);
  }
  matrix.replaceChildren(headline(found), body);
  more.hidden = !found.more;
  more.textContent = `and ${found.more.toLocaleString()} labels with fewer photos`;
}

let asked = null;

async function follow() {
  asked?.abort();
  const own = (asked = new AbortController());
  const address = new URLSearchParams(location.search);
  if (address.get("k")) select.value = address.get("k");
  try {
    for (;;) {
      const found = await ask("/api/evaluation", { k: select.value }, own.signal);
      if (own.signal.aborted) return;
      if (found.metrics.length) {
        drawBars(found);
        drawMatrix(found);
      }
      progress.textContent = found.running
        ? `at work: ${found.total ? Math.floor((100 * found.done) / found.total) : 0} %` : "";
      if (!found.running) return;
      await new Promise((resolve) => setTimeout(resolve, POLL));
    }
  } catch (error) {
    if (error.name !== "AbortError") say(error.message, { bad: true, stays: true });
  }
}

select.addEventListener("change", () => {
  history.replaceState(null, "", `/distances?k=${select.value}`);
  follow();
});
follow();
