// The client in a real Chromium against a real server. `make test` starts both; against your own: see the README.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { chromium } from "playwright-core";

const { FACTORYAI_URL, CLIENT_URL, NAME, PASSWORD, DEVICE, CAMERA, SITE, AXE, CHROMIUM = "chromium" } = process.env;
const PATIENCE_MS = 30_000;
const PLATES = { light: "GJ05CD5678", dark: "PB10EF9012" };

let browser;
before(async () => {
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  });
});
after(() => browser?.close());

/** A fresh browser on the client; an error of its scripts fails the test. */
async function opened(t, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 850 }, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  t.after(async () => {
    await context.close();
    assert.deepEqual(errors, []);
  });
  return page;
}

async function logIn(page, password = PASSWORD) {
  await page.goto(CLIENT_URL);
  await page.getByLabel("Name").fill(NAME);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}

async function loggedIn(t, options) {
  const page = await opened(t, options);
  await logIn(page);
  await page.getByText("● Live").waitFor();
  return page;
}

/** Talk to the server as a device or a script does. */
async function call(name, method, path, body) {
  const json = { "Content-Type": "application/json" };
  const login = await fetch(`${FACTORYAI_URL}/api/v1/auth/token`, {
    method: "POST",
    headers: json,
    body: JSON.stringify({ username: name, password: PASSWORD }),
  });
  const { access } = await login.json();
  const answer = await fetch(`${FACTORYAI_URL}/api/v1${path}`, {
    method,
    headers: { ...json, Authorization: `Bearer ${access}` },
    body: body && JSON.stringify(body),
  });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}

/** Let a vehicle come to the gate: two reads that agree. */
async function drivesUp(plate) {
  const at = Date.now();
  const read = (number) => ({
    event_id: `${plate}-${at}-${number}`,
    camera: CAMERA,
    track: `${plate}-${at}`,
    plate,
    confidence: 0.97,
    captured_at: new Date(at + number * 200 - 1000).toISOString(),
    direction: "in",
  });
  const { rejected } = await call(DEVICE, "POST", "/vehicles/reads", [read(1), read(2)]);
  assert.deepEqual(rejected, []);
}

test("a wrong password is answered with its code", async (t) => {
  const page = await opened(t);
  await logIn(page, "wrong");
  await page.getByRole("alert").getByText("no_active_account").waitFor();
});

test("a page that needs a login leads back to itself", async (t) => {
  const page = await opened(t);
  await page.goto(`${CLIENT_URL}/attendance`);
  await page.waitForURL("**/login?next=*");
  await page.getByLabel("Name").fill(NAME);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: "Attendance" }).waitFor();
});

test("the camera is shown by ticket", async (t) => {
  const page = await loggedIn(t);
  const picture = page.getByRole("img", { name: `Live picture of ${CAMERA}` });
  await picture.waitFor();
  await page.waitForFunction((image) => image.naturalWidth > 0, await picture.elementHandle());
  const address = new URL(await picture.getAttribute("src"));
  assert.equal(address.pathname, "/api/video_feed");
  assert.ok(address.searchParams.get("ticket"));
  assert.ok(!address.href.includes("Bearer"));
});

test("an expired token is renewed without a word", async (t) => {
  const page = await loggedIn(t);
  await page.evaluate(() => {
    const login = JSON.parse(sessionStorage.getItem("factory-ai-session"));
    sessionStorage.setItem("factory-ai-session", JSON.stringify({ ...login, access: "old.old.old" }));
  });
  await page.reload();
  await page.getByText("● Live").waitFor();
  await page.getByRole("link", { name: "Attendance" }).click();
  await page.getByText(/^\d+ days?$/).waitFor();
  assert.equal(await page.getByRole("alert").count(), 0);
});

test("a plate is blocked, its vehicle alarms at once, and the alert is taken on", async (t) => {
  const page = await loggedIn(t);
  await page.getByRole("link", { name: "Blocked plates" }).click();
  await page.getByLabel("Plate", { exact: true }).fill("MH 12 AB 1234");
  await page.getByLabel("Reason").fill("Theft of material");
  await page.getByLabel("Site").selectOption(SITE);
  await page.getByRole("button", { name: "Block", exact: true }).click();
  await page.getByText("is blocked.").waitFor();
  await page.getByRole("link", { name: "Now", exact: true }).click();
  await page.getByText("Nothing is open.").waitFor();
  const before = Date.now();
  await drivesUp("MH12AB1234");
  const alert = page.getByRole("listitem").filter({ hasText: "MH12AB1234" });
  await alert.first().waitFor();
  t.diagnostic(`on the page ${Date.now() - before} ms after the post began`);
  await alert.getByPlaceholder("Note").fill("Guard is on the way");
  await alert.getByRole("button", { name: /Acknowledge/ }).click();
  await alert.getByText(`Taken on by ${NAME}: Guard is on the way`).waitFor();
});

test("what happens while the connection is away is caught up by its number", async (t) => {
  const page = await opened(t);
  const sockets = [];
  let isAway = false;
  await page.routeWebSocket(/\/ws\/events/, (socket) => {
    if (isAway) {
      socket.close({ code: 1011 });
      return;
    }
    sockets.push(socket);
    socket.connectToServer();
  });
  await logIn(page);
  await page.getByText("● Live").waitFor();
  isAway = true;
  await sockets.at(-1).close({ code: 1011 });
  await page.getByText("▲ Not live").waitFor();
  await call(NAME, "POST", "/vehicles/blocked-plates", { site: SITE, plate: "KA01AA0001", reason: "Not paid" });
  await drivesUp("KA01AA0001");
  isAway = false;
  await page.getByText("● Live").waitFor();
  assert.match(sockets.at(-1).url(), /\?after=\d+$/);
  await page.getByRole("listitem").filter({ hasText: "KA01AA0001" }).first().waitFor();
});

test("a refusal names the field and the code, and a plate expires", async (t) => {
  const page = await loggedIn(t);
  await page.getByRole("link", { name: "Blocked plates" }).click();
  await page.getByLabel("Plate", { exact: true }).fill("???");
  await page.getByLabel("Reason").fill("x");
  await page.getByLabel("Site").selectOption(SITE);
  await page.getByRole("button", { name: "Block", exact: true }).click();
  await page.getByRole("alert").locator("code").waitFor();
  await page.getByLabel("Plate", { exact: true }).fill("DL8CAF5031");
  await page.getByRole("button", { name: "Block", exact: true }).click();
  await page.getByRole("button", { name: "Expire DL8CAF5031" }).click();
  await page.getByRole("row").filter({ hasText: "DL8CAF5031" }).getByText("expired").waitFor();
});

test("days are filtered and shown in the time of the factory", async (t) => {
  const page = await loggedIn(t);
  await page.getByRole("link", { name: "Attendance" }).click();
  await page.getByLabel("From", { exact: true }).fill("2026-03-01");
  await page.getByLabel("To", { exact: true }).fill("2026-03-31");
  const row = page.getByRole("row").filter({ hasText: "2026-03-02" });
  await row.getByText("08:20").waitFor();
  await page.getByLabel("Flag").selectOption("late");
  await row.getByText(/late .*pending/).waitFor();
  await page.getByLabel("Flag").selectOption("missing_in");
  await page.getByText("No day matches.").waitFor();
});

test("everything fits a phone, in the dark too", async (t) => {
  const page = await loggedIn(t, { viewport: { width: 360, height: 740 }, colorScheme: "dark" });
  for (const name of ["Attendance", "Blocked plates", "Now"]) {
    await page.getByRole("link", { name, exact: true }).click();
    await page.getByRole("heading", { level: 1 }).waitFor();
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 360, `${name} is ${width} px wide`);
  }
  const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(ground, "rgb(14, 18, 21)");
});

for (const colorScheme of ["light", "dark"]) {
  test(`axe-core finds nothing serious or critical, ${colorScheme}`, async (t) => {
    assert.ok(AXE, "AXE names axe.min.js");
    const axe = await readFile(AXE, "utf8");
    const found = {};
    const look = async (page, name) => {
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
      const grave = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
      if (grave.length > 0) {
        found[name] = grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
      }
    };
    const page = await opened(t, { colorScheme });
    await logIn(page, "wrong");
    await page.getByRole("alert").getByText("no_active_account").waitFor();
    await look(page, "Log in");
    await call(NAME, "POST", "/vehicles/blocked-plates", { site: SITE, plate: PLATES[colorScheme], reason: "Not paid" });
    await logIn(page);
    await page.getByText("● Live").waitFor();
    await drivesUp(PLATES[colorScheme]);
    await page.getByRole("listitem").filter({ hasText: PLATES[colorScheme] }).first().waitFor();
    await look(page, "Now");
    await page.getByRole("link", { name: "Attendance" }).click();
    await page.getByLabel("From", { exact: true }).fill("2026-03-01");
    await page.getByRole("row").filter({ hasText: "2026-03-02" }).waitFor();
    await look(page, "Attendance");
    await page.getByRole("link", { name: "Blocked plates" }).click();
    await page.getByRole("row").filter({ hasText: PLATES[colorScheme] }).waitFor();
    await page.getByLabel("Plate", { exact: true }).fill("???");
    await page.getByLabel("Reason").fill("x");
    await page.getByLabel("Site").selectOption(SITE);
    await page.getByRole("button", { name: "Block", exact: true }).click();
    await page.getByRole("alert").locator("code").waitFor();
    await look(page, "Blocked plates, refused");
    assert.deepEqual(found, {});
  });
}

test("logging out ends everything", async (t) => {
  const page = await loggedIn(t);
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await page.goto(`${CLIENT_URL}/blocked-plates`);
  await page.waitForURL("**/login?next=*");
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});
