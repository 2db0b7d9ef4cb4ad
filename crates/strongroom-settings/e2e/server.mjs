// A server of the page in a process of its own, and one of another account.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { input } from "./browser.mjs";

/** Starts the page's server, on this port of 127.0.0.1 or on an address that is `fresh`. */
export async function serve(address) {
  const [file, ...args] = input.serve;
  const env = { ...process.env, ...(address && { PAGE_ADDRESS: String(address) }) };
  const child = spawn(file, args, { env, stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const said = {};
  for await (const line of createInterface(child.stdout)) {
    const [, what, text] = line.match(/^(link|entry) (.*)$/) ?? [];
    if (what) said[what] = text;
    if (said.entry) break;
  }
  child.stdout.resume();
  const { link } = said;
  return {
    link,
    page: new URL(link.split("#")[0]),
    token: link.split("#token=")[1],
    entry: JSON.parse(said.entry),
    /** Ends it at once. */
    kill: () => {
      child.kill("SIGKILL");
      return ended;
    },
    /** Ends it in order. */
    stop: () => {
      child.stdin.end();
      return ended;
    },
  };
}

/** Starts a server of another account, which notes all that it is sent. */
export async function listen(port, answer) {
  const got = [];
  const server = createServer(async (request, response) => {
    const { method, url, headers } = request;
    const noted = { method, url, headers, body: Buffer.alloc(0) };
    got.push(noted);
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    noted.body = Buffer.concat(pieces);
    answer(request, response);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    got,
    origin: `http://127.0.0.1:${server.address().port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** All bytes of what a server was sent, as one text. */
export const bytes = (got) =>
  got.map(({ method, url, headers, body }) => `${method} ${url} ${JSON.stringify(headers)} ${body.toString("latin1")}`).join("\n");
