// Keys: a page names what each does, and `?` shows all of them.

const known = [];

/** Let keys do something: `keys([["j", "next group", next], ...])`; a text may name several. */
export function keys(list) {
  for (const [names, what, action] of list) {
    known.push({ names: names.split(" "), what, action });
  }
}

function typing(target) {
  return target.closest?.("input, select, textarea, [contenteditable]") !== null;
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (typing(event.target)) return;
  if (document.querySelector("dialog[open]") && event.key !== "Escape") return;
  for (const { names, action } of known) {
    if (names.includes(event.key) && action(event) !== false) {
      event.preventDefault();
      return;
    }
  }
});

const SHOWN = {
  ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc", " ": "Space",
};

function showHelp() {
  const dialog = document.getElementById("help");
  const title = document.createElement("h2");
  title.id = "help-title";
  title.textContent = "Keys";
  const list = document.createElement("dl");
  for (const { names, what } of known) {
    const line = document.createElement("div");
    const term = document.createElement("dt");
    for (const name of names) {
      const key = document.createElement("kbd");
      key.textContent = SHOWN[name] ?? name;
      term.append(key);
    }
    const meaning = document.createElement("dd");
    meaning.textContent = what;
    line.append(term, meaning);
    list.append(line);
  }
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "Close";
  close.addEventListener("click", () => dialog.close());
  dialog.replaceChildren(title, list, close);
  dialog.showModal();
}

keys([["?", "these keys", showHelp]]);
