// What every page does: a picture that is dropped, pasted or chosen anywhere is searched by.

import { searchBy } from "./api.js";
import { keys } from "./keys.js";
import { say } from "./notices.js";

const chooser = document.getElementById("chooser");
const dropping = document.getElementById("dropping");
const MOST_BYTES = 64 * 2 ** 20; // as the server has it
let searching = false;

async function search(picture) {
  if (!picture || searching) return;
  if (picture.size > MOST_BYTES) {
    say("a picture may have 64 MiB, this has more", { bad: true });
    return;
  }
  searching = true;
  const end = say("Looking for what is like your picture …", { stays: true });
  try {
    const found = await searchBy(picture);
    location.assign(`/found/${found.search}`);
  } catch (error) {
    say(error.message, { bad: true });
  } finally {
    searching = false;
    end();
  }
}

document.getElementById("choose").addEventListener("click", () => chooser.click());
chooser.addEventListener("change", () => {
  search(chooser.files[0]);
  chooser.value = "";
});

const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
let depth = 0;

addEventListener("dragenter", (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  depth += 1;
  dropping.hidden = false;
});
addEventListener("dragleave", (event) => {
  if (!holdsFiles(event)) return;
  depth = Math.max(0, depth - 1);
  dropping.hidden = depth === 0;
});
addEventListener("dragover", (event) => {
  if (holdsFiles(event)) event.preventDefault();
});
addEventListener("drop", (event) => {
  depth = 0;
  dropping.hidden = true;
  if (!holdsFiles(event)) return;
  event.preventDefault();
  search(event.dataTransfer.files[0]);
});
addEventListener("paste", (event) => {
  const picture = [...(event.clipboardData?.files ?? [])][0];
  if (!picture) return;
  event.preventDefault();
  search(picture);
});

const pages = [...document.querySelectorAll("header nav a")];
keys(
  pages.map((link, place) => [
    String(place + 1),
    link.textContent.toLowerCase(),
    () => location.assign(link.href),
  ]),
);
keys([["/", "search by a picture", () => chooser.click()]]);
