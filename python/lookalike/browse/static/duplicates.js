// Duplicates: a list of groups, two files of one side by side, and what a person decides.

import { ask, change, readOnly } from "./api.js";
import { followMove, openReview, openTrash } from "./duplicates_moves.js";
import { Worklist, VERDICTS, compare, count, el, size, stateOf } from "./duplicates_parts.js";
import { openRules } from "./duplicates_rules.js";
import { Pair, thumbOf } from "./duplicates_view.js";
import { keys } from "./keys.js";
import { say } from "./notices.js";

const at = (id) => document.getElementById(id);
const POLL = 300;
const made = [];  // what has been decided here, to take it back
let all = null; // what the server told of all groups
let shown = []; // the groups of the chosen kind
let group = null; // the one on the stage, with its files
let left = null; // ids of the two files that are compared
let right = null;
let busy = false;

const list = new Worklist(at("worklist"), (id) => open(id));
const pair = new Pair(at("panes"), (text) => { at("measured").textContent = text; });
const kind = () => document.querySelector("#kinds [aria-pressed=true]").dataset.kind;
const member = (file) => group?.members.find((each) => each.file === file);

function bad(error) {
  say(error.message, { bad: true });
}

/** Ask for the groups, as often as it takes. */
async function load({ stay = false } = {}) {
  const place = Math.max(0, shown.findIndex((each) => each.id === group?.id));
  try {
    for (;;) {
      const found = await ask("/api/duplicates");
      if (found.groups) {
        all = found;
        break;
      }
      at("working").hidden = Boolean(all);
      if (found.total) {
        at("working-bar").max = found.total;
        at("working-bar").value = found.done;
      }
      await new Promise((resolve) => setTimeout(resolve, POLL));
    }
  } catch (error) {
    at("working-text").textContent = error.message;
    at("working-bar").hidden = true;
    at("working").removeAttribute("aria-busy");
    return;
  }
  at("working").hidden = true;
  at("working").removeAttribute("aria-busy");
  choose(kind(), stay ? group?.id : null, place);
}

/** Show the groups of a kind; of them one, or the one at a place. */
function choose(wanted, id = null, place = 0) {
  for (const button of at("kinds").children) {
    const own = button.dataset.kind;
    button.setAttribute("aria-pressed", own === wanted);
    const number = all.groups.filter((each) => !own || each.kind === own).length;
    button.querySelector(".number")?.remove();
    button.append(el("span", "number", number.toLocaleString("en")));
  }
  shown = all.groups.filter((each) => !wanted || each.kind === wanted);
  list.show(shown, all.state);
  at("remark").textContent = all.remark;
  at("remark").hidden = !all.remark;
  at("sorting").hidden = !shown.length;
  at("none").hidden = Boolean(shown.length);
  at("none").textContent = all.groups.length
    ? "There are no groups of this kind."
    : `No picture is kept twice among ${count(all.images, "photo")}.`;
  sum();
  if (shown.length) {
    const known = shown.find((each) => each.id === id);
    open((known ?? shown[Math.min(place, shown.length - 1)]).id);
  } else {
    group = null;
  }
}

function sum() {
  const going = all.groups.reduce((total, each) => total + each.going, 0);
  const bytes = all.groups.reduce((total, each) => total + each.winnable, 0);
  at("review-open").disabled = !going && !all.void.length;
  at("review-open").textContent = going ? `Review ${count(going, "file")}` : "Review";
  if (going) at("review-open").append(el("span", "won", size(bytes)));
}

async function open(id) {
  list.choose(id);
  try {
    const found = await ask("/api/duplicates/group", { id });
    if (list.current !== id) return;
    if (found.state !== all.state) {
      await load();
      return;
    }
    const same = group?.id === id && member(left) && member(right);
    group = found;
    if (!same) left = group.members[0].file;
    if (!same) right = (group.members.slice(1).find((each) => each.verdict === "look") ?? group.members[1]).file;
    draw();
    ahead(1);
  } catch (error) {
    bad(error);
    await load();
  }
}

/** Have the browser fetch what comes next. */
function ahead(step) {
  const next = shown[shown.findIndex((each) => each.id === group.id) + step];
  if (next) new Image().src = `/file/${next.row}?is=${next.mark}`;
}

function draw() {
  const [one, other] = [member(left), member(right)];
  const place = shown.findIndex((each) => each.id === group.id);
  at("stage-title").textContent = `${(place + 1).toLocaleString("en")} of ${count(shown.length, "group")}`;
  at("stage-state").textContent = stateOf(group);
  at("stage-state").className = `stage-state is-${group.looks ? "open" : group.going ? "going" : "staying"}`;
  at("previous").disabled = place <= 0;
  at("next").disabled = place >= shown.length - 1;
  const sides = one.facts.pixels.split(" × ").map(Number);
  at("panes").style.setProperty("--aspect", sides.length === 2 ? sides.join("/") : "4/3");
  pair.show(one, other, group.state);
  compare(at("compared"), one, other);
  for (const [side, each] of [["left", one], ["right", other]]) {
    const pane = at(side);
    pane.className = `pane is-${each.verdict}`;
    const chip = pane.querySelector(".chip");
    chip.textContent = VERDICTS[each.verdict];
    chip.className = `chip is-${each.verdict}`;
    pane.querySelector(".why").textContent = each.reason || (each.verdict === "keep" ? "the best of them" : "");
    for (const mark of ["keep", "remove"]) {
      const button = pane.querySelector(`.${mark}`);
      button.disabled = readOnly || (mark === "remove" && each.protected);
      button.setAttribute("aria-pressed", each.by_hand === mark);
    }
  }
  at("different").disabled = readOnly || one.mark === other.mark;
  at("files").hidden = group.members.length < 3;
  at("files").replaceChildren(...group.members.map((each) => {
    const line = el("li");
    const button = el("button", `file is-${each.verdict}`);
    button.type = "button";
    const image = new Image();
    image.src = thumbOf(each, group.state);
    image.alt = "";
    const words = `${each.name}: ${VERDICTS[each.verdict].toLowerCase()}`;
    button.setAttribute("aria-label", words);
    button.title = words;
    button.setAttribute("aria-pressed", each.file === left || each.file === right);
    button.append(image, el("span", `chip is-${each.verdict}`, VERDICTS[each.verdict]));
    button.addEventListener("click", () => select(each.file));
    line.append(button);
    return line;
  }));
}

function select(file) {
  if (file === left) return;
  right = file;
  draw();
}

function turn(step) {
  if (!group) return;
  const others = group.members.map((each) => each.file).filter((file) => file !== left);
  const place = others.indexOf(right) + step;
  if (others[place]) select(others[place]);
}

function walk(step) {
  const next = shown[shown.findIndex((each) => each.id === group?.id) + step];
  if (next) open(next.id);
  else if (step > 0) say("That was the last group.");
}

/** Take over what the server says of the group on the stage. */
function take(found) {
  group = found;
  for (const each of [all.groups.find(({ id }) => id === found.id)]) {
    if (each) Object.assign(each, { looks: found.looks, going: found.going, winnable: found.winnable, by_hand: found.by_hand });
  }
  list.draw(true);
  sum();
  draw();
}

/** Run one decision at a time. */
async function deciding(action) {
  if (readOnly) {
    say("Nothing can be changed: this server runs --read-only.", { bad: true });
    return;
  }
  if (busy || !group) return;
  busy = true;
  try {
    await action();
  } catch (error) {
    bad(error);
  } finally {
    busy = false;
  }
}

const mark = (marks, { onward = false } = {}) => deciding(async () => {
  const before = {};
  for (const file of Object.keys(marks)) before[file] = member(file).by_hand;
  const found = await change("/api/duplicates/mark", { group: group.id, marks });
  made.push({ group: group.id, marks: before });
  const others = found.members.filter((each) => each.file !== left);
  const place = others.findIndex((each) => each.file === right);
  const open = (each) => each.verdict === "look" && each.by_hand === null;
  const next = others.slice(place + 1).find(open) ?? others.find(open);
  if (onward && next) right = next.file;
  take(found);
});

const setApart = () => deciding(async () => {
  const [one, other] = [member(left), member(right)];
  const done = await change("/api/duplicates/different", { group: group.id, one: left, other: right });
  made.push({ back: done.pair });
  say(`Noted: ${one.name} and ${other.name} are different pictures.`);
  await load();
});

const takeBack = () => deciding(async () => {
  const last = made.pop();
  if (!last) {
    say("There is nothing to take back here.");
  } else if (last.back) {
    await change("/api/duplicates/different", { back: last.back });
    await load();
  } else {
    const found = await change("/api/duplicates/mark", last);
    if (found.id === group.id) take(found);
    else choose(shown.some((each) => each.id === found.id) ? kind() : "", found.id);
  }
});

function differ() {
  const on = at("difference").getAttribute("aria-pressed") !== "true";
  at("difference").setAttribute("aria-pressed", on);
  pair.difference(on);
}

const reload = () => load({ stay: true });
document.addEventListener("visibilitychange", () => { // others may have decided meanwhile
  if (!document.hidden && all && !busy && !document.querySelector("dialog[open]")) reload();
});
at("kinds").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button && all) choose(button.dataset.kind, group?.id);
});
for (const side of ["left", "right"]) {
  const file = () => (side === "left" ? left : right);
  for (const what of ["keep", "remove"]) { // a second click takes it back
    at(side).querySelector(`.${what}`).addEventListener("click", () => {
      mark({ [file()]: member(file()).by_hand === what ? null : what });
    });
  }
}
at("previous").addEventListener("click", () => walk(-1));
at("next").addEventListener("click", () => walk(1));
at("difference").addEventListener("click", differ);
at("different").addEventListener("click", setApart);
at("smaller").addEventListener("click", () => pair.zoom(1 / 1.5));
at("larger").addEventListener("click", () => pair.zoom(1.5));
at("fit").addEventListener("click", () => pair.fit());
at("swap").addEventListener("pointerdown", () => pair.swap(true));
for (const end of ["pointerup", "pointerleave", "pointercancel", "blur"]) {
  at("swap").addEventListener(end, () => pair.swap(false));
}
addEventListener("keyup", (event) => { if (event.key === "s") pair.swap(false); });
addEventListener("blur", () => pair.swap(false));
at("rules-open").addEventListener("click", () => openRules(all?.rules, reload));
at("review-open").addEventListener("click", () => openReview(reload));
at("trash-open").addEventListener("click", () => openTrash(reload));

keys([
  ["n ArrowDown", "next group", () => walk(1)],
  ["p ArrowUp", "previous group", () => walk(-1)],
  ["ArrowRight", "next file of the group", () => turn(1)],
  ["ArrowLeft", "file before it", () => turn(-1)],
  ["k", "keep the file on the right", () => mark({ [right]: "keep" }, { onward: true })],
  ["r", "remove it", () => mark({ [right]: "remove" }, { onward: true })],
  ["o", "the other way: keep it, remove the one on the left", () => mark({ [right]: "keep", [left]: "remove" })],
  ["b", "keep both", () => mark({ [left]: "keep", [right]: "keep" }, { onward: true })],
  ["d", "the two are different pictures", setApart],
  ["u", "take back what was decided last", takeBack],
  ["s", "swap the two, while it is held", () => pair.swap(true)],
  ["x", "show what differs", differ],
  ["+ =", "larger", () => pair.zoom(1.5)],
  ["-", "smaller", () => pair.zoom(1 / 1.5)],
  ["0", "whole pictures", () => pair.fit()],
  ["v", "review what goes", () => at("review-open").click()],
  ["U", "what is in the trash, and back", () => openTrash(reload)],
]);
load();
followMove(reload);
