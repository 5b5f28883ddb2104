// Indexing: what is looked at, how far it is, and what could not be used.

import { ask, change, readOnly } from "./api.js";
import { keys } from "./keys.js";
import { say } from "./notices.js";

const at = (id) => document.getElementById(id);
const EVERY = 3000; // ms between two looks at folders and failures while photos are read
const DOING = {
  network: "Loading the network",
  folders: "Looking through the folders",
  photos: "Reading photos",
  finish: "Tidying up",
  stop: "Stopping; what has been read stays",
};
const COUNTS = {
  added: "new", updated: "changed", moved: "moved", removed: "gone", unchanged: "as they were",
};
const number = (value) => value.toLocaleString("en");
const plural = (value, word) => `${number(value)} ${word}${value === 1 ? "" : "s"}`;

function made(tag, text, className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

function duration(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

// Folders, patterns, failures

function drawFolders(found) {
  at("invitation").hidden = found.folders.length > 0;
  const lines = found.folders.map(({ path, count, there }) => {
    const line = made("li", "");
    line.append(made("span", path, "what"));
    if (!there) line.append(made("span", "not there now", "bad"));
    line.append(made("span", plural(count, "photo"), "number"));
    return line;
  });
  if (found.others) {
    const line = made("li", "");
    line.append(made("span", "Rows that are no files", "what"));
    line.append(made("span", number(found.others), "number"));
    lines.push(line);
  }
  at("folders").replaceChildren(...lines);
}

function drawPatterns(found) {
  at("patterns").replaceChildren(...found.patterns.map(([kind, pattern]) => {
    const line = made("li", "");
    const what = made("span", "", "what");
    what.append(made("code", pattern));
    if (kind === "include") what.append(made("span", " is taken after all", "faint"));
    line.append(what);
    if (!readOnly) {
      const button = made("button", "Remove");
      button.type = "button";
      button.setAttribute("aria-label", `Remove the pattern ${pattern}`);
      button.addEventListener("click", () => changed({ drop: pattern }));
      line.append(button);
    }
    return line;
  }));
}

function drawFailures(found) {
  at("failing").hidden = found.failed === 0;
  const open = new Set(
    [...document.querySelectorAll(".failure[open]")].map((each) => each.dataset.reason),
  );
  at("failures").replaceChildren(...found.failures.map(({ reason, count, files }) => {
    const group = made("details", "", "failure");
    group.dataset.reason = reason;
    group.open = open.has(reason) || found.failed <= 5;
    const head = made("summary", "");
    head.append(made("span", reason), made("span", plural(count, "file"), "faint"));
    const list = made("ul", "");
    list.append(...files.map((file) => made("li", file)));
    if (count > files.length) list.append(made("li", `and ${number(count - files.length)} more`));
    group.append(head, list);
    return group;
  }));
}

let asking = false;

async function contents() {
  if (asking) return;
  asking = true;
  try {
    const found = await ask("/api/index");
    drawFolders(found);
    drawPatterns(found);
    drawFailures(found);
    drawStart(found.folders.length > 0);
    at("indexing").setAttribute("aria-busy", "false");
  } catch (error) {
    say(error.message, { bad: true });
  } finally {
    asking = false;
  }
}

// How far it is, and how it ended

let running = false;
let folders = false;

function drawStart(some = folders) {
  folders = some;
  if (readOnly) return;
  at("start").hidden = running || !folders;
  at("stop").hidden = !running;
}

function drawNow(told) {
  at("now").hidden = !told.running;
  if (!told.running) return;
  at("end").hidden = true;
  at("doing").textContent = DOING[told.doing];
  at("rate").textContent = told.rate && told.doing !== "stop" ? `${number(told.rate)} photos/s` : "";
  const bar = at("bar");
  if (told.total) {
    bar.max = told.total;
    bar.value = told.done;
    const left = told.rate ? `, ${duration((told.total - told.done) / told.rate)} left` : "";
    at("how-far").textContent = `${number(told.done)} of ${plural(told.total, "photo")}${left}`;
  } else {
    bar.removeAttribute("value");
    at("how-far").textContent = told.folder ?? "";
  }
  if (!readOnly) at("stop").disabled = told.doing === "stop";
}

function title(told) {
  const { how, stored, seconds } = told.ended;
  if (how === "failed") return "That did not work";
  if (how === "stopped") {
    return `Stopped: ${plural(stored, "photo")} came in; the next look goes on from there`;
  }
  return `Done in ${duration(seconds)}: ${plural(told.images, "photo")} in the gallery`;
}

function drawEnd(told) {
  at("end").hidden = told.running || !told.ended;
  if (at("end").hidden) return;
  const { how, error, counts, notes = [], left_out: leftOut = [], failed } = told.ended;
  at("end-title").textContent = title(told);
  at("end-title").className = how === "failed" ? "bad" : "";
  at("end-why").textContent = error ?? "";
  const parts = Object.entries(COUNTS).filter(([name]) => counts?.[name]);
  at("end-counts").replaceChildren(...parts.map(([name, word]) => {
    const part = made("li", "");
    part.append(made("b", number(counts[name])), ` ${word}`);
    return part;
  }));
  if (failed) {
    const part = made("li", "");
    const link = made("a", `${number(failed)} could not be used`);
    link.href = "#failing";
    part.append(link);
    at("end-counts").append(part);
  }
  const remarks = [...notes, ...told.remarks];
  if (leftOut.length) {
    remarks.push(`Left out: ${leftOut.map(([pattern, n]) => `${pattern} ${number(n)}`).join(", ")}.`);
  }
  at("end-remarks").replaceChildren(...remarks.map((remark) => made("li", remark)));
  at("end-photos").hidden = told.images === 0;
}

let seen = null; // what the page was last told
let since = 0;

function draw(told) {
  running = told.running;
  drawNow(told);
  drawEnd(told);
  drawStart();
  const turned = seen !== null && (told.running !== seen.running || told.run !== seen.run);
  if (turned) at("spoken").textContent =
    told.running ? "Photos are being read" : `${title(told)} ${told.ended.error ?? ""}`;
  const other = seen?.version !== told.version || seen?.images !== told.images;
  if (turned || (other && !running) || (running && Date.now() - since > EVERY)) {
    since = Date.now();
    contents();
  }
  seen = told;
}

let stream = null;
let misses = 0;

function follow() {
  stream?.close();
  stream = null;
  if (document.hidden) return; // a browser holds few connections to one server
  stream = new EventSource("/api/index/events");
  stream.addEventListener("message", ({ data }) => {
    misses = 0;
    draw(JSON.parse(data));
  });
  stream.addEventListener("pause", () => { misses = -1; });
  stream.addEventListener("error", () => {
    misses += 1;
    if (misses !== 2 && stream.readyState !== EventSource.CLOSED) return;
    at("now").hidden = true;
    say("the server does not answer: is `lookalike browse` still running?", { bad: true });
  });
}
document.addEventListener("visibilitychange", follow);
addEventListener("pagehide", () => stream?.close());

// What a person does

async function begin(what = {}) {
  draw(await change("/api/index/start", what));
}

async function tried(action) {
  try {
    await action();
  } catch (error) {
    say(error.message, { bad: true });
  }
}

async function changed(what) {
  await tried(async () => {
    await change("/api/index/patterns", what);
    await contents();
  });
}

function form(id, field, wrong, action) {
  at(field).addEventListener("input", () => {
    at(wrong).textContent = "";
    at(field).removeAttribute("aria-invalid");
  });
  at(id).addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await action(at(field).value, event.submitter?.value);
      at(field).value = "";
    } catch (error) {
      at(wrong).textContent = error.message;
      at(field).setAttribute("aria-invalid", "true");
      at(field).focus();
    }
  });
}

if (!readOnly) {
  at("start").addEventListener("click", () => tried(begin));
  at("stop").addEventListener("click", () => tried(async () => draw(await change("/api/index/stop"))));
  form("add-folder", "folder", "folder-wrong", (folder) => begin({ folder }));
  form("add-pattern", "pattern", "pattern-wrong", async (pattern, kind) => {
    await change("/api/index/patterns", { [kind || "exclude"]: pattern });
    await contents();
  });
  keys([
    ["n", "look for new photos", () => (at("start").hidden ? false : at("start").click())],
    ["s", "stop", () => (at("stop").hidden ? false : at("stop").click())],
  ]);
}
contents();
follow();
