// The review of all that goes, the move to the trash, and the way back.

import { ask, change, readOnly } from "./api.js";
import { count, el, size } from "./duplicates_parts.js";
import { thumbOf } from "./duplicates_view.js";
import { say } from "./notices.js";

const at = (id) => document.getElementById(id);
const POLL = 250;
let told = () => {};
let reviewed = null;

/** Show all that would go; `onChange()` is told when something has. */
export async function openReview(onChange) {
  told = onChange;
  if (await drawReview()) {
    if (!at("review").open) at("review").showModal();
  }
}

async function drawReview() {
  try {
    reviewed = await ask("/api/duplicates/review");
  } catch (error) {
    say(error.message, { bad: true });
    return false;
  }
  const { going, refused } = reviewed;
  at("review-title").textContent = going.length
    ? `${count(going.length, "file")}, ${size(reviewed.bytes)}, would go`
    : "Nothing would go";
  const looks = reviewed.looks ? ` ${count(reviewed.looks, "file")} to look at stay.` : "";
  at("review-text").textContent =
    `Each is checked again just before it moves to the trash, with the one that stays for it.${looks}`;
  const parts = going.map((each) => line(each));
  if (refused.length || reviewed.void.length) {
    parts.push(el("h3", "", "These stay where they are"));
    parts.push(...refused.map((each) => line(each, each.why)));
    for (const path of reviewed.void) {
      const one = el("article", "goer is-refused");
      one.append(el("span", "path", path),
        el("span", "bad", "its mark is void: the file has changed since, or is no duplicate any more"));
      parts.push(one);
    }
  }
  at("going").replaceChildren(...parts);
  at("move").disabled = readOnly || !going.length;
  at("move").textContent = going.length ? `Move ${count(going.length, "file")} to the trash` : "Move to trash";
  return true;
}

function line(each, why = "") {
  const one = el("article", why ? "goer is-refused" : "goer");
  const pictures = el("span", "two");
  for (const [row, mark, name] of [
    [each.row, each.mark, "goes"], [each.keeper_row, each.keeper_mark, "stays"],
  ]) {
    const image = new Image();
    image.loading = "lazy";
    image.alt = name;
    image.className = name;
    image.src = thumbOf({ row, mark }, reviewed.state);
    pictures.append(image);
  }
  const words = el("span", "words");
  words.append(el("span", "path", each.name), el("span", "faint", each.folder));
  const beside = each.beside?.length ? `, with ${each.beside.join(", ")}` : "";
  words.append(el("span", "faint", `${size(each.bytes)}${beside} – ${each.reason}`));
  words.append(el("span", "faint", `stays: ${each.keeper}`));
  if (why) words.append(el("span", "bad", why));
  one.append(pictures, words);
  const keep = el("button", "", "Keep");
  keep.type = "button";
  keep.disabled = readOnly;
  keep.setAttribute("aria-label", `Keep ${each.name}`);
  keep.addEventListener("click", async () => {
    keep.disabled = true;
    try {
      await change("/api/duplicates/mark", { group: each.group, marks: { [each.file]: "keep" } });
    } catch (error) {
      say(error.message, { bad: true });
    }
    await drawReview();
    told();
  });
  one.append(keep);
  return one;
}

at("move").addEventListener("click", async () => {
  at("move").disabled = true;
  try {
    await change("/api/duplicates/trash", { review: reviewed.review });
  } catch (error) {
    say(error.message, { bad: true });
    await drawReview();
    return;
  }
  at("review").close();
  at("trash").showModal();
  await follow();
});
at("review-close").addEventListener("click", () => at("review").close());

/** Show what is in the trash. */
export async function openTrash(onChange) {
  told = onChange;
  at("moved").replaceChildren();
  at("batches").replaceChildren();
  at("trash").showModal();
  try {
    drawBatches(await ask("/api/duplicates/moves"));
  } catch (error) {
    say(error.message, { bad: true });
  }
}

/** Go on showing a move that was at work when the page was opened. */
export async function followMove(onChange) {
  told = onChange;
  try {
    if (!(await ask("/api/duplicates/moves")).running) return;
  } catch {
    return; // the page itself says that the server is gone
  }
  at("trash").showModal();
  await follow();
}

/** Show how far the move is until it is done. */
async function follow() {
  const bar = el("progress");
  bar.setAttribute("aria-label", "Moving files");
  at("moved").replaceChildren(bar);
  at("batches").replaceChildren();
  let found = null;
  try {
    for (;;) {
      found = await ask("/api/duplicates/moves");
      if (!found.running) break;
      if (found.total) [bar.max, bar.value] = [found.total, found.done];
      await new Promise((resolve) => setTimeout(resolve, POLL));
    }
  } catch (error) {
    at("moved").replaceChildren(el("p", "bad", error.message));
    return;
  }
  const way = found.what === "back" ? "brought back" : "moved to the trash";
  const parts = [];
  if (found.error) parts.push(el("p", "bad", found.error));
  if (found.moved.length || !found.error) {
    parts.push(el("p", "", `${count(found.moved.length, "file")} ${way} (${size(found.bytes)}).`));
  }
  if (found.what === "back" && found.moved.length) {
    parts.push(el("p", "faint", "The next `lookalike index` takes into the gallery what is back."));
  }
  if (found.left.length) {
    parts.push(el("p", "", `${count(found.left.length, "file")} left where they are:`));
    const list = el("ul", "left-alone");
    for (const [path, why] of found.left) list.append(el("li", "", `${path} ${why}`));
    parts.push(list);
  }
  at("moved").replaceChildren(...parts);
  drawBatches(found);
  told();
}

function drawBatches({ batches }) {
  const parts = batches.map((each, place) => {
    const one = el("article", "batch");
    const words = el("span", "words");
    const more = each.files > each.names.length ? " …" : "";
    words.append(el("span", "", `${each.at}: ${count(each.files, "file")}, ${size(each.bytes)}`),
      el("span", "faint", each.names.join(", ") + more));
    one.append(words);
    if (place === 0) {
      const button = el("button", "", "Bring back");
      button.type = "button";
      button.disabled = readOnly;
      button.addEventListener("click", async () => {
        button.disabled = true;
        try {
          await change("/api/duplicates/undo", { batch: each.batch });
        } catch (error) {
          say(error.message, { bad: true });
          return;
        }
        await follow();
      });
      one.append(button);
    }
    return one;
  });
  if (!parts.length) parts.push(el("p", "faint", "Nothing is in the trash that this gallery knows of."));
  at("batches").replaceChildren(...parts);
}
at("trash-close").addEventListener("click", () => at("trash").close());
