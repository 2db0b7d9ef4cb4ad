// What the page asks its server for. Values are only in bodies.

import { isSame } from "./words.js";

/** What the server refused, in its words. */
export class Problem extends Error {
  constructor(status, { code = "other", message = "the request failed", hint = "" } = {}) {
    super(message);
    Object.assign(this, { status, code, hint });
  }

  get isSessionOver() {
    return this.status === 401;
  }
}

async function send(path, options) {
  let response;
  try {
    response = await fetch(`api/${path}`, { cache: "no-store", ...options });
  } catch {
    throw new Problem(0, {
      code: "unreachable",
      message: "the program that this page belongs to doesn't answer",
      hint: "If it has ended, open the page anew from there.",
    });
  }
  if (!response.ok) throw new Problem(response.status, await response.json().catch(() => ({})));
  return response;
}

/** For how long a change that is heard of counts as this page's own, in milliseconds. */
const OWN = 2000;

let written = [];

/** Whether this page itself has just changed this secret. */
export const hasWritten = (key) =>
  written.some((own) => isSame(own, key) && Date.now() - own.at < OWN);

const post = (path, body = {}) => send(path, { method: "POST", body: JSON.stringify(body) });

async function write(path, body, ...keys) {
  const note = () => {
    const at = Date.now();
    written = written.filter((own) => at - own.at < OWN);
    written.push(...keys.map((it) => ({ ...key(it), at })));
  };
  // It may be heard of before the answer, or after.
  note();
  const answer = await post(path, body);
  note();
  return answer;
}

const get = async (path) => (await send(path)).json();

/** A value is base64 on its way, so that no parser keeps a copy of it. */
function base64(text) {
  const bytes = new TextEncoder().encode(text);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

const key = ({ name, target }) => ({ name, target: target || null });

const encoded = (secret) => ({ ...secret, value: base64(secret.value) });

export const openSession = (token) => post("session", { token });
export const keepSession = () => post("session/keep");
export const endSession = () => post("session/end");
export const about = () => get("about");
export const list = async () => (await get("secrets")).secrets;
export const add = (secret) => write("secrets/add", encoded(secret), secret);
export const replace = (secret) => write("secrets/replace", encoded(secret), secret);
export const rename = (from, to) =>
  write("secrets/rename", { from: key(from), to: key(to) }, from, to);
export const remove = (secret) => write("secrets/delete", key(secret), secret);
export const reveal = async (secret) => (await post("secrets/reveal", key(secret))).text();
export const health = async () => (await get("health")).findings;
export const plan = async () => (await get("migration")).plan;
export const secure = async (planned) =>
  (await (await write("migration/secure", {}, ...planned)).json()).done;
export const exported = async (label) => (await post("export", { label })).blob();
export const changes = () => new EventSource("api/events");
