// A picture and its look-alikes: a row for each distance, all of them aligned.

import { ask } from "./api.js";
import { badge, photo, picture } from "./grid.js";
import { keys } from "./keys.js";
import { say } from "./notices.js";

const rows = document.getElementById("alike");
const hint = document.getElementById("hint");
const links = []; // [row of the page][place]

function distanceShown(distance) {
  if (distance === null) return "";
  return distance !== 0 && Math.abs(distance) < 0.001
    ? distance.toExponential(1)
    : String(Number(distance.toPrecision(3)));
}

function cell(row, place, distance, facts, found) {
  const link = document.createElement("a");
  link.className = "cell";
  link.href = photo(row, facts.mark);
  link.dataset.row = row;
  const said = [
    facts.name,
    facts.label,
    facts.same ? "same label" : null,
    facts.copies ? `and ${facts.copies} ${facts.copies === 1 ? "copy" : "copies"}` : null,
    `${place + 1}. at ${distanceShown(distance)}`,
  ];
  link.append(picture(row, found.state, said.filter(Boolean).join(", ")));
  link.dataset.name = facts.name;
  if (facts.copies) link.append(badge("copies", `+${facts.copies}`));
  if (facts.same) link.classList.add("is-same");
  return link;
}

function fill(found) {
  for (const [number, metric] of found.metrics.entries()) {
    const section = rows.querySelector(`[data-metric="${metric.name}"]`);
    const slots = section.querySelectorAll(".slot");
    links.push([]);
    for (const [place, slot] of slots.entries()) {
      const row = metric.rows[place];
      if (row === undefined) {
        slot.remove();
        continue;
      }
      const link = cell(row, place, metric.distances[place], found.pictures[row], found);
      link.tabIndex = place === 0 ? 0 : -1;
      slot.replaceChildren(link);
      links[number].push(link);
    }
    if (!metric.rows.length) section.querySelector(".strip").textContent = "nothing else is here";
  }
  rows.setAttribute("aria-busy", "false");
  const same = found.label === null ? "" : ` Underlined: also labelled ${found.label}.`;
  const told = hint.firstChild;
  told.textContent = `${told.textContent.trim()}${same} `;
  const standing = [...hint.childNodes];

  function show(row) {
    const facts = found.pictures[row];
    for (const link of rows.querySelectorAll(".cell")) {
      link.classList.toggle("is-met", link.dataset.row === String(row));
    }
    for (const [number, metric] of found.metrics.entries()) {
      const section = rows.querySelector(`[data-metric="${metric.name}"]`);
      const place = facts?.places[number];
      section.querySelector(".place").textContent = facts ? (place ? `${place}.` : `beyond ${found.ranked}`) : "";
    }
    if (facts) hint.textContent = [facts.name, facts.label].filter(Boolean).join(" · ");
    else hint.replaceChildren(...standing);
    rows.classList.toggle("is-pointing", Boolean(facts));
  }
  const met = (event) => show(event.target.closest(".cell")?.dataset.row);
  rows.addEventListener("pointerover", met);
  rows.addEventListener("pointerleave", () => show(undefined));
  rows.addEventListener("focusin", met);
  rows.addEventListener("focusout", () => show(undefined));
}

function at() {
  for (const [number, line] of links.entries()) {
    const place = line.indexOf(document.activeElement);
    if (place >= 0) return [number, place];
  }
  return null;
}

function move(down, right) {
  const now = at();
  if (!now) {
    links[0]?.[0]?.focus();
    return links.length > 0;
  }
  let number = Math.min(links.length - 1, Math.max(0, now[0] + down));
  if (!links[number].length) number = now[0];
  const place = Math.min(links[number].length - 1, Math.max(0, now[1] + right));
  const link = links[number][place];
  for (const each of links[number]) each.tabIndex = each === link ? 0 : -1;
  link.focus({ preventScroll: true });
  link.scrollIntoView({ block: "nearest", inline: "nearest" });
  return true;
}

keys([
  ["ArrowRight", "the next in the row", () => move(0, 1)],
  ["ArrowLeft", "the one before", () => move(0, -1)],
  ["ArrowDown", "the next distance", () => move(1, 0)],
  ["ArrowUp", "the distance before", () => (at() ? move(-1, 0) : false)],
  ["Backspace", "back", () => history.back()],
]);

/** The thumbnail is there at once, the whole picture takes its place when it has come. */
function enlarge() {
  const image = document.querySelector("[data-large]");
  if (!image) return;
  const whole = new Image();
  whole.addEventListener("load", () => {
    image.src = whole.src;
    image.classList.add("is-whole");
  });
  whole.addEventListener("error", () => {
    const note = document.createElement("p");
    note.className = "faint";
    note.textContent = "The file itself is not shown: it is gone, has changed or has become a link.";
    image.closest("figure").append(note);
  });
  whole.src = image.dataset.large;
}

try {
  fill(await ask("/api/alike", new URLSearchParams(rows.dataset.question)));
} catch (error) {
  rows.setAttribute("aria-busy", "false");
  say(error.message, { bad: true, stays: true });
}
enlarge();
