// The requests of the page. Values are only in bodies, which are sealed.

import { isSame } from "./words.js";

/** A refusal of the server, in its words. */
export class Problem extends Error {
  constructor(status, { code = "other", message = "the request failed", hint = "", updated_at } = {}) {
    super(message);
    Object.assign(this, { status, code, hint, updated_at });
  }

  get isSessionOver() {
    return this.status === 401;
  }
}

/** The place of the session's secrets, which a reload needs. The browser keeps it by host, port and tab. */
const KEPT = `strongroom ${new URL(".", location).pathname}`;

/** The bearer, and the key that seals what is sent. There is none where the application admits its users. */
let session = null;

/** Ends all requests. */
const ending = new AbortController();

const sessionOver = () =>
  new Problem(401, { code: "no_session", message: "this session has ended" });

async function hold(text) {
  if (!globalThis.crypto?.subtle) {
    throw new Problem(0, {
      message: "the browser has no cryptography for this address",
      hint: "Name 127.0.0.1 in its place, or take another browser.",
    });
  }
  const [bearer, key] = text.split(".");
  const bytes = Uint8Array.from(atob(key.replace(/-/g, "+").replace(/_/g, "/")), (it) => it.charCodeAt(0));
  session = { bearer, key: await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt"]) };
  sessionStorage.setItem(KEPT, text);
}

/** Takes up the session that the page came with, or the one of this tab, if there is one. */
export async function resume() {
  const given = document.querySelector("meta[name=session]");
  const text = given.content || sessionStorage.getItem(KEPT);
  given.remove();
  if (text) await hold(text);
}

/** Exchanges a token for a session. */
export async function openSession(token) {
  const answer = await send("session", { method: "POST", body: JSON.stringify({ token }) });
  await hold((await answer.json()).session);
}

/** Forgets the session: no request goes out any more. */
export function forget() {
  halt();
  sessionStorage.removeItem(KEPT);
}

/** Lets no request go out any more. */
export function halt() {
  session = null;
  ending.abort();
}

async function send(path, options = {}) {
  if (ending.signal.aborted) throw sessionOver();
  const headers = session ? { Authorization: `Bearer ${session.bearer}` } : {};
  let response;
  try {
    response = await fetch(`api/${path}`, {
      headers,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal: ending.signal,
      ...options,
    });
  } catch {
    if (ending.signal.aborted) throw sessionOver();
    throw new Problem(0, {
      code: "unreachable",
      message: "the program that this page belongs to doesn't answer",
      hint: "If it has ended, open the page anew from there.",
    });
  }
  if (!response.ok) {
    const { error, updated_at } = await response.json().catch(() => ({}));
    throw new Problem(response.status, { ...error, updated_at });
  }
  return response;
}

/**
 * Seals a body for its path, so that only the server that opened the session can read it, whatever answers at
 * its address now.
 */
async function sealed(path, body) {
  const text = new TextEncoder();
  if (!session) return text.encode(body);
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const algorithm = { name: "AES-GCM", iv: nonce, additionalData: text.encode(path) };
  return new Blob([nonce, await crypto.subtle.encrypt(algorithm, session.key, text.encode(body))]);
}

/** How long it takes at most until a change is told, in milliseconds. */
const OWN = 2000;

/** The keys that this page is changing, or has changed, and was not told of yet. */
let written = [];

/** Whether a change that is told is this page's own. Each one is told once. */
export function isOwn(key) {
  const at = written.findIndex((own) => isSame(own, key) && Date.now() - own.at < OWN);
  return at >= 0 && written.splice(at, 1).length > 0;
}

async function post(path, body = {}) {
  return send(path, { method: "POST", body: await sealed(path, JSON.stringify(body)) });
}

async function write(path, body, ...keys) {
  const own = keys.map((it) => ({ ...key(it), at: Date.now() }));
  const others = written.filter(({ at }) => Date.now() - at < OWN);
  // It may be told before the answer, or after.
  written = [...others, ...own];
  try {
    const answer = await post(path, body);
    for (const it of own) it.at = Date.now();
    return answer;
  } catch (problem) {
    written = written.filter((it) => !own.includes(it));
    throw problem;
  }
}

const get = async (path) => (await send(path)).json();

/** How many bytes are encoded at a time: a multiple of three, and no more than a call takes arguments. */
const PIECE = 3 * 8192;

/** A value is base64 on its way, so that no parser keeps a copy of it. */
function base64(text) {
  const bytes = new TextEncoder().encode(text);
  let encoded = "";
  for (let at = 0; at < bytes.length; at += PIECE) {
    encoded += btoa(String.fromCharCode(...bytes.subarray(at, at + PIECE)));
  }
  return encoded;
}

const key = ({ name, target }) => ({ name, target: target || null });

/** A secret as the page has seen it: the server refuses to change one that was changed since. */
const seen = (secret) => ({ ...key(secret), seen: secret.updated_at ?? null });

const encoded = (secret) => ({ ...secret, value: base64(secret.value) });

export const keepSession = () => post("session/keep");
export const endSession = () => post("session/end");
export const about = () => get("about");
export const list = () => get("secrets");
export const add = (secret) => write("secrets/add", encoded(secret), secret);
export const replace = (old, secret) =>
  write("secrets/replace", { ...encoded(secret), ...seen(old) }, old);
export const rename = (old, to) =>
  write("secrets/rename", { from: seen(old), to: key(to) }, old, to);
export const remove = (secret) => write("secrets/delete", seen(secret), secret);
export const reveal = async (secret) => (await post("secrets/reveal", key(secret))).text();
export const health = async () => (await get("health")).findings;
export const plan = async () => (await get("migration")).plan;
export const secure = async (planned) =>
  (await (await write("migration/secure", {}, ...planned)).json()).message;
export const exportAs = async (label, replace) =>
  (await (await post("export", { label, replace })).json()).file;

/** The changes of the vault as they are told, after one event `open`. It ends with the connection. */
export async function* changes() {
  const response = await send("events");
  yield { event: "open" };
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const pieces = (rest + value).split("\n\n");
    rest = pieces.pop();
    for (const piece of pieces) {
      const field = (name) => piece.match(new RegExp(`^${name}: ?(.*)$`, "m"))?.[1];
      if (field("event")) yield { event: field("event"), data: JSON.parse(field("data")) };
    }
  }
}
