// Asking the server: the only place that knows how.

const token = document.querySelector('meta[name="token"]').content;

export class Refused extends Error {}

async function answered(response) {
  let body = null;
  try {
    body = await response.json();
  } catch {
    // no JSON: the status says it
  }
  if (!response.ok) {
    throw new Refused(body?.error ?? `the server answered ${response.status}`);
  }
  return body;
}

async function fetched(path, options) {
  try {
    return await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("the server does not answer: is `lookalike browse` still running?");
  }
}

/** Ask for data: `ask("/api/facts", {rows: "1,2"})`. */
export async function ask(path, question = {}, signal = undefined) {
  const query = new URLSearchParams(question).toString();
  return answered(await fetched(query ? `${path}?${query}` : path, { signal }));
}

/** Have something changed: a POST of JSON, with the token that other sites do not have. */
export async function change(path, what = {}) {
  return answered(
    await fetched(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Lookalike-Token": token },
      body: JSON.stringify(what),
    }),
  );
}

/** Search by a picture: a Blob or File. */
export async function searchBy(picture, question = {}) {
  const query = new URLSearchParams(question).toString();
  return answered(
    await fetched(`/api/search?${query}`, {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream" },
      body: picture,
    }),
  );
}

export const readOnly = document.body.hasAttribute("data-read-only");
