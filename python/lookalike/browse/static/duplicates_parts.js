// What the page of duplicates is made of: short words, the list of groups, the table of facts.

import { thumbOf } from "./duplicates_view.js";

export const el = (name, className = "", text = "") => {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
};

export function size(bytes) {
  for (const [unit, name] of [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]]) {
    if (bytes >= unit) return `${(bytes / unit).toFixed(1)} ${name}`;
  }
  return `${bytes} bytes`;
}

export const count = (number, what) =>
  `${number.toLocaleString("en")} ${what}${number === 1 ? "" : "s"}`;

export const KINDS = { identical: "identical", same: "same picture", look: "look" };
export const VERDICTS = { keep: "Stays", remove: "Goes", look: "Look" };

/** What a group's state is, in a few words. */
export function stateOf(group) {
  if (group.looks) return `${count(group.looks, "file")} to look at`;
  return group.going ? `${size(group.winnable)} to win` : "all stay";
}

/** The list of groups: any number of them, of which those near the screen are in the page. */
export class Worklist {
  constructor(element, onChoose) {
    this.element = element;
    this.onChoose = onChoose;
    this.groups = [];
    this.current = null;
    this.inner = el("div", "inner");
    this.inner.setAttribute("role", "presentation");
    element.append(this.inner);
    element.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(element);
    element.addEventListener("click", (event) => {
      const line = event.target.closest(".group");
      if (line) onChoose(line.dataset.id);
    });
  }

  show(groups, state) {
    this.groups = groups;
    this.state = state;
    this.draw(true);
  }

  choose(id) {
    this.current = id;
    const place = this.groups.findIndex((group) => group.id === id);
    const high = this.high();
    const { scrollTop, clientHeight } = this.element;
    if (place * high < scrollTop + high) this.element.scrollTop = Math.max(0, (place - 1) * high);
    else if ((place + 2) * high > scrollTop + clientHeight) {
      this.element.scrollTop = (place + 2) * high - clientHeight;
    }
    this.draw(true);
  }

  high() {
    return parseFloat(getComputedStyle(this.element).getPropertyValue("--high")) || 64;
  }

  draw(all = false) {
    const high = this.high();
    this.inner.style.height = `${this.groups.length * high}px`;
    const first = Math.max(0, Math.floor(this.element.scrollTop / high) - 6);
    const last = Math.min(this.groups.length, first + Math.ceil(this.element.clientHeight / high) + 12);
    if (!all && first === this.first && last === this.last) return;
    [this.first, this.last] = [first, last];
    const lines = [];
    for (let place = first; place < last; place += 1) {
      const line = this.line(this.groups[place]);
      line.style.transform = `translateY(${place * high}px)`;
      line.setAttribute("aria-posinset", place + 1);
      line.setAttribute("aria-setsize", this.groups.length);
      lines.push(line);
    }
    this.inner.replaceChildren(...lines);
    this.element.setAttribute("aria-activedescendant", `group-${this.current}`);
  }

  line(group) {
    const line = el("div", `group is-${group.looks ? "open" : group.going ? "going" : "staying"}`);
    line.dataset.id = group.id;
    line.id = `group-${group.id}`;
    line.setAttribute("role", "option");
    line.setAttribute("aria-selected", group.id === this.current);
    const image = new Image();
    image.alt = "";
    image.src = thumbOf(group, this.state);
    const words = el("span", "words");
    const second = el("span", "faint");
    const files = group.count > 2 ? `${group.count} files · ` : "";
    const won = group.looks ? "" : ` · ${group.going ? size(group.winnable) : "all stay"}`;
    second.textContent = `${files}${KINDS[group.kind]}${won}`;
    words.append(el("span", "name", group.name), second);
    line.append(image, words);
    if (group.by_hand) {
      const tick = el("span", "tick", "✓");
      tick.title = "You have marked files of this group";
      line.append(tick);
    }
    return line;
  }
}

const FACTS = [
  ["Name", (each) => each.name],
  ["Folder", (each) => each.folder],
  ["Size", (each) => each.facts.pixels],
  ["Bytes", (each) => each.facts.bytes.toLocaleString("en")],
  ["Format", (each) => each.facts.format],
  ["Colour", (each) => each.facts.colour],
  ["Taken", (each) => each.facts.taken],
  ["Camera", (each) => each.facts.camera],
  ["Changed", (each) => each.facts.changed],
  ["Content", (each) => each.mark],
];

/** The facts of two files; those in which they differ are bold. */
export function compare(table, left, right) {
  const lines = [];
  for (const [name, value] of FACTS) {
    const [one, other] = [value(left), value(right)];
    if (!one && !other) continue;
    const line = el("tr", one === other ? "" : "differs");
    const head = el("th", "", name);
    head.scope = "row";
    line.append(head);
    for (const each of [one, other]) {
      const cell = el("td");
      cell.append(one === other ? each || "–" : el("strong", "", each || "–"));
      line.append(cell);
    }
    lines.push(line);
  }
  const body = el("tbody");
  body.append(...lines);
  table.replaceChildren(body);
}
