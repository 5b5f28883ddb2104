// Short messages at the edge of the page.

const place = document.getElementById("notices");

/** Say something; it goes after a while, or when it is done: `say("…")` returns what ends it. */
export function say(text, { bad = false, stays = false } = {}) {
  const notice = document.createElement("p");
  notice.className = bad ? "notice bad" : "notice";
  notice.textContent = text;
  place.append(notice);
  const end = () => notice.remove();
  if (!stays) setTimeout(end, bad ? 9000 : 4000);
  return end;
}
