// The rules by which is judged what a person has not marked.

import { change, readOnly } from "./api.js";
import { say } from "./notices.js";

const at = (id) => document.getElementById(id);
const form = at("rules-form");
const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);
let told = () => {};

/** Show the rules; `onChange()` is told when they are others. */
export function openRules(rules, onChange) {
  if (!rules) return;
  told = onChange;
  form.keep.value = rules.keep ?? "";
  form.prefer.value = rules.prefer.join("\n");
  form.protect.value = rules.protect.join("\n");
  form.querySelector("[type=submit]").disabled = readOnly;
  at("rules-error").textContent = "";
  at("rules").showModal();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await change("/api/duplicates/rules", {
      keep: form.keep.value || null,
      prefer: lines(form.prefer.value),
      protect: lines(form.protect.value),
    });
  } catch (error) {
    at("rules-error").textContent = error.message;
    return;
  }
  at("rules").close();
  say("The rules hold for all that you have not marked.");
  told();
});
at("rules-close").addEventListener("click", () => at("rules").close());
