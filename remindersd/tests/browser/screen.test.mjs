// The count screen as people meet it: a real browser, the program itself, a database with three organisations.
import assert from "node:assert/strict";
import { spawn, execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, afterEach, before, test } from "node:test";
import { chromium } from "playwright-core";

const SECRET = "a secret of at least thirty-two bytes, of tests";
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const OSLO = "00000000-0000-0000-0000-00000000000a";

const sql = (statement) =>
  execFileSync(`${process.env.PGBIN}/psql`, ["--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1", "-c", `SET search_path = assignment_reminders; ${statement}`], { encoding: "utf8" }).trim();

function token(name, seconds = 600) {
  const [sub, organization_id] = sql(`SELECT auth_user_id, organization_id FROM users WHERE name = '${name}' AND auth_user_id IS NOT NULL`).split("|");
  const part = (object) => Buffer.from(JSON.stringify(object)).toString("base64url");
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub, organization_id, role: "demo_member", aud: "authenticated", exp: Math.floor(Date.now() / 1000) + seconds })}`;
  return `${signed}.${createHmac("sha256", SECRET).update(signed).digest("base64url")}`;
}

let service;
let url;
let browser;
let context;

function serve(listen) {
  return new Promise((resolve, reject) => {
    service = spawn(process.env.REMINDERSD, ["serve"], {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        REMINDERSD_LOG: "error",
        REMINDERSD_DATABASE__URL: `host=${process.env.PGHOST} port=${process.env.PGPORT} user=demo_gateway dbname=${process.env.PGDATABASE}`,
        REMINDERSD_HTTP__LISTEN: listen,
        REMINDERSD_JWT__SECRET: SECRET,
        REMINDERSD_JWT__AUDIENCE: "authenticated",
        REMINDERSD_JWT__ROLES: '["demo_member"]',
        REMINDERSD_UNSUBSCRIBE__ROLE: "demo_unsubscribe",
      },
    });
    service.on("error", reject);
    service.stdout.once("data", (line) => resolve(String(line).trim().replace("listening on ", "")));
  });
}

const stopped = () => new Promise((resolve) => (service.exitCode === null ? service.once("exit", resolve) : resolve()));

before(async () => {
  url = await serve("127.0.0.1:0");
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
});
after(async () => {
  await browser?.close();
  service?.kill();
  await stopped();
});
afterEach(async () => {
  await context?.close();
});

async function open(name, { seconds = 600, locale = "en-GB" } = {}) {
  context = await browser.newContext({ locale, timezoneId: "Europe/Oslo", viewport: { width: 1000, height: 800 } });
  const page = await context.newPage();
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && page.complaints.push(message.text()));
  await page.goto(`${url}/#token=${token(name, seconds)}`);
  await page.locator("#who:not(:empty)").waitFor();
  return page;
}

const rows = (page, table) => page.locator(`${table} tr`).evaluateAll((found) => found.map((row) => [...row.cells].map((cell) => cell.innerText)));

/** What axe-core holds against the page, of what keeps people out. */
async function serious(page) {
  // The page's policy lets no script in but its own: this one comes by the debugger.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).slice(0, 3)}`);
}

async function picture(page, name) {
  if (!process.env.SCREENSHOTS) return;
  mkdirSync(process.env.SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png` });
}

test("a coordinator sees the counts of all mentors of the organisation, as the database has them, and finds and sorts them", async () => {
  const page = await open("Coordinator 1");
  const shown = await rows(page, "#mentor-rows");
  assert.deepEqual(Object.fromEntries(shown), Object.fromEntries(sql(`SELECT u.name, m.assignment_count FROM peer_mentors m JOIN users u ON u.id = m.user_id WHERE m.organization_id = '${OSLO}'`).split("\n").map((line) => line.split("|"))));
  const counts = shown.map(([, count]) => Number(count));
  assert.deepEqual(counts, [...counts].sort((a, b) => b - a));
  await page.getByRole("button", { name: "Name" }).click();
  assert.equal((await rows(page, "#mentor-rows"))[0][0], "Mentor 1");
  await page.getByLabel("Search").fill("mentor 17");
  assert.deepEqual((await rows(page, "#mentor-rows")).map(([name]) => name), ["Mentor 17"]);
  await page.getByLabel("Search").fill("");
  const silent = await rows(page, "#silent-rows");
  assert.equal(silent.length, 50);
  const days = silent.map((row) => Number(row[4]));
  assert.deepEqual(days, [...days].sort((a, b) => b - a));
  await page.getByRole("button", { name: "Show more" }).click();
  await page.locator("#silent-rows tr").nth(99).waitFor();
  assert.deepEqual(await serious(page), []);
  await page.evaluate(() => scrollTo(0, 0));
  await picture(page, "coordinator");
  assert.deepEqual(page.complaints, []);
});

test("an assignment that another session commits is counted on the screen within a second, without a reload", async () => {
  const page = await open("Coordinator 1");
  const [id, student, before] = sql(`SELECT m.id, (SELECT id FROM users WHERE organization_id = '${OSLO}' AND name = 'Student 1'), m.assignment_count
    FROM peer_mentors m JOIN users u ON u.id = m.user_id WHERE m.organization_id = '${OSLO}' AND u.name = 'Mentor 5'`).split("|");
  const count = page.locator(`#mentor-rows tr[data-id="${id}"] .number`);
  assert.equal(await count.innerText(), before);
  for (const more of [1, 2, 3]) {
    sql(`INSERT INTO assignments (organization_id, title, student_id, peer_mentor_id) VALUES ('${OSLO}', 'live', '${student}', '${id}')`);
    const committed = Date.now();
    await page.waitForFunction(([selector, wanted]) => document.querySelector(selector)?.innerText === wanted,
      [`#mentor-rows tr[data-id="${id}"] .number`, String(Number(before) + more)], { polling: 20, timeout: 5000 });
    assert.ok(Date.now() - committed < 1000, `${Date.now() - committed} ms`);
  }
  sql("DELETE FROM assignments WHERE title = 'live'");
  await page.waitForFunction(([selector, wanted]) => document.querySelector(selector)?.innerText === wanted,
    [`#mentor-rows tr[data-id="${id}"] .number`, before]);
});

test("a mentor sees their own count and assignments, and nobody else's", async () => {
  const page = await open("Mentor 1");
  const [count, open_] = sql(`SELECT m.assignment_count, (SELECT count(*) FROM assignments a WHERE a.peer_mentor_id = m.id AND a.status = 'open')
    FROM peer_mentors m JOIN users u ON u.id = m.user_id WHERE u.auth_user_id IS NOT NULL AND u.name = 'Mentor 1'`).split("|");
  assert.equal(await page.locator("#own-count").innerText(), count);
  assert.equal(await page.locator("#mentors").isVisible(), false);
  const mine = await rows(page, "#silent-rows");
  assert.equal(mine.length, Math.min(50, Number(open_)));
  assert.ok(mine.every((row) => row[2] === "Mentor 1"));
  assert.equal(await page.getByRole("button", { name: /^Correct/ }).count(), 0);
  assert.deepEqual(await serious(page), []);
  await picture(page, "mentor");
});

test("a contact is registered with the keyboard alone, and the assignment is silent no more", async () => {
  const page = await open("Mentor 1");
  const first = page.locator("#silent-rows tr").first();
  const id = await first.getAttribute("data-id");
  await first.getByRole("button", { name: /^Register/ }).focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Register a contact" });
  await dialog.waitFor();
  assert.deepEqual(await serious(page), []);
  await picture(page, "register");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  await page.keyboard.press("Enter");
  await dialog.waitFor();
  await dialog.getByLabel("When").press("Enter");
  await page.getByText("Saved.").waitFor();
  assert.notEqual(await page.locator("#silent-rows tr").first().getAttribute("data-id"), id);
  assert.equal(sql(`SELECT (now() AT TIME ZONE 'Europe/Oslo')::date - last_contact_date FROM assignments WHERE id = '${id}'`), "0");
  assert.equal(sql(`SELECT u.name FROM activities t JOIN users u ON u.id = t.recorded_by WHERE assignment_id = '${id}' ORDER BY t.created_at DESC LIMIT 1`), "Mentor 1");
});

test("a coordinator corrects a contact date, and says why", async () => {
  const page = await open("Coordinator 1");
  const first = page.locator("#silent-rows tr").first();
  const id = await first.getAttribute("data-id");
  await first.getByRole("button", { name: /^Correct/ }).click();
  const dialog = page.getByRole("dialog", { name: "Correct the last contact" });
  assert.deepEqual(await serious(page), []);
  await picture(page, "correct");
  await dialog.getByLabel(/^Date/).fill("2026-01-02");
  await dialog.getByRole("button", { name: "Save" }).click();
  assert.equal(await dialog.isVisible(), true, "a reason is asked for");
  await dialog.getByLabel("Reason").fill("   ");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("has no reason").waitFor();
  await dialog.getByLabel("Reason").fill("entered for another student");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved.").waitFor();
  assert.equal(sql(`SELECT a.last_contact_date, c.reason FROM assignments a JOIN contact_corrections c ON c.assignment_id = a.id WHERE a.id = '${id}' ORDER BY c.number DESC LIMIT 1`), "2026-01-02|entered for another student");
});

test("a coordinator opens a row to why it is there, with the keyboard alone, and closes it", async () => {
  const page = await open("Coordinator 1");
  const id = await page.locator("#silent-rows tr").first().getAttribute("data-id");
  const opener = page.locator(`#silent-rows tr[data-id="${id}"] .opener`);
  assert.equal(await opener.getAttribute("aria-expanded"), "false");
  await opener.focus();
  await page.keyboard.press("Enter");
  const why = page.locator("#why");
  const [explanation, next] = sql(`SELECT explanation, coalesce(next_action, '') FROM explain_assignment('${id}')`).split("|");
  await why.getByText(explanation).waitFor();
  assert.equal(await opener.getAttribute("aria-expanded"), "true");
  assert.equal(await opener.evaluate((found) => found === document.activeElement), true, "the keyboard stays");
  assert.match(await why.innerText(), { remind: /Next: the mentor is reminded, /, escalate: /Next: the coordinator is told, /, "": /Next: nothing/ }[next]);
  const told = (caption) => why.getByRole("table", { name: caption }).locator("tbody tr").evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText)));
  const gates = sql(`SELECT replace(g ->> 'gate', '_', ' '), g ->> 'value', CASE WHEN (g ->> 'is_passed')::boolean THEN 'yes' ELSE 'no' END FROM explain_assignment('${id}'), jsonb_array_elements(gates) AS g`);
  assert.deepEqual((await told(/^What is asked/)).map((row) => row.join("|")), gates.split("\n"));
  const happened = sql(`SELECT text || CASE WHEN reason IS NOT NULL AND strpos(text, reason) = 0 THEN format(' (%s)', reason) ELSE '' END FROM assignment_timeline('${id}')`);
  assert.deepEqual((await told("What happened")).map((row) => row[1]), happened.split("\n"));
  assert.deepEqual(await serious(page), []);
  await page.setViewportSize({ width: 1000, height: 1100 });
  await page.locator("#silent").evaluate((section) => section.scrollIntoView());
  await picture(page, "why");
  await page.setViewportSize({ width: 360, height: 700 });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  await picture(page, "why-narrow");
  await page.keyboard.press("Enter");
  await why.waitFor({ state: "detached" });
  assert.deepEqual(page.complaints, []);
});

test("a row that is open follows what is registered, and says so where its assignment is gone", async () => {
  const page = await open("Coordinator 1");
  const [id, other] = await page.locator("#silent-rows tr").evaluateAll((found) => found.map((row) => row.dataset.id));
  await page.locator(`#silent-rows tr[data-id="${id}"] .opener`).click();
  await page.locator("#why").getByRole("table", { name: "What happened" }).waitFor();
  await page.locator(`#silent-rows tr[data-id="${id}"]`).getByRole("button", { name: /^Correct/ }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^Date/).fill("2026-01-01");
  await dialog.getByLabel("Reason").fill("seen in the row");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.locator("#why").getByText("(seen in the row)").waitFor();
  sql(`DELETE FROM assignments WHERE id = '${other}'`);
  await page.locator(`#silent-rows tr[data-id="${other}"] .opener`).click();
  await page.locator("#why").getByText("This assignment is not there any more.").waitFor();
});

test("two organisations do not see each other", async () => {
  const page = await open("Coordinator 2");
  const names = await page.locator("#mentor-rows tr").evaluateAll((found) => found.map((row) => row.dataset.id));
  assert.deepEqual(new Set(names), new Set(sql("SELECT id FROM peer_mentors WHERE organization_id = '00000000-0000-0000-0000-00000000000b'").split("\n")));
  const foreign = sql(`SELECT id FROM assignments WHERE organization_id = '${OSLO}'`).split("\n");
  const silent = await page.locator("#silent-rows tr").evaluateAll((found) => found.map((row) => row.dataset.id));
  assert.equal(silent.filter((id) => foreign.includes(id)).length, 0);
});

test("a token that expires signs out, and the screen says so", async () => {
  const page = await open("Coordinator 1", { seconds: -27 });
  await page.getByText("You are signed out.").waitFor({ timeout: 15000 });
  assert.equal(await page.locator("#silent").isVisible(), false);
  assert.deepEqual(await serious(page), []);
});

test("whoever signs out leaves nothing behind in the tab", async () => {
  const page = await open("Coordinator 1");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("This page is opened by a link").waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await page.reload();
  await page.getByText("This page is opened by a link").waitFor();
  assert.equal(await page.locator("tbody tr").count(), 0);
});

test("more is shown once, however often it is asked for", async () => {
  const page = await open("Coordinator 1");
  await page.getByRole("button", { name: "Show more" }).dblclick();
  await page.locator("#silent-rows tr").nth(99).waitFor();
  const shown = await page.locator("#silent-rows tr").evaluateAll((found) => found.map((row) => row.dataset.id));
  assert.equal(new Set(shown).size, shown.length);
});

test("without a token, it says how to get in", async () => {
  context = await browser.newContext({ locale: "nb-NO" });
  const page = await context.newPage();
  await page.goto(url);
  await page.getByText("Denne siden åpnes med en lenke").waitFor();
  assert.deepEqual(await serious(page), []);
});

test("it speaks Norwegian, and the choice stays", async () => {
  const page = await open("Coordinator 1", { locale: "nb-NO" });
  await page.getByRole("heading", { name: "Åpne oppdrag, lengst uten kontakt" }).waitFor();
  await page.getByLabel("Språk").selectOption("en");
  await page.getByRole("heading", { name: "Open assignments, longest without contact" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Open assignments, longest without contact" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
  await picture(page, "english");
});

test("a row opens to its reasons in Norwegian, each by a name of its own", async () => {
  const page = await open("Coordinator 1", { locale: "nb-NO" });
  const row = page.locator("#silent-rows tr").first();
  const id = await row.getAttribute("data-id");
  await row.locator(".opener").click();
  const asked = page.locator("#why").getByRole("table", { name: /^Det som spørres om/ }).locator("tbody tr");
  await asked.first().waitFor();
  const codes = sql(`SELECT g ->> 'gate' FROM explain_assignment('${id}'), jsonb_array_elements(gates) AS g`).split("\n");
  const names = await asked.evaluateAll((rows) => rows.map((row) => row.cells[0].innerText));
  assert.equal(names.length, codes.length);
  assert.equal(new Set(names).size, new Set(codes).size);
  codes.forEach((code, at) => assert.notEqual(names[at], code.replaceAll("_", " "), `${code} has no Norwegian name`));
  assert.deepEqual(page.complaints, []);
});

test("a count that changes leaves the list alone that somebody works on", async () => {
  const page = await open("Coordinator 1");
  await page.getByRole("button", { name: "Show more" }).click();
  await page.locator("#silent-rows tr").nth(99).waitFor();
  await page.locator("#silent-rows tr").nth(80).getByRole("button", { name: /^Register/ }).focus();
  const where = () => page.evaluate(() => [scrollY, document.activeElement.closest("tr")?.dataset.id, document.querySelectorAll("#silent-rows tr").length]);
  const before = await where();
  const [id, student, count] = sql(`SELECT m.id, (SELECT id FROM users WHERE organization_id = '${OSLO}' AND name = 'Student 1'), m.assignment_count
    FROM peer_mentors m JOIN users u ON u.id = m.user_id WHERE m.organization_id = '${OSLO}' AND u.name = 'Mentor 6'`).split("|");
  sql(`INSERT INTO assignments (organization_id, title, student_id, peer_mentor_id) VALUES ('${OSLO}', 'live', '${student}', '${id}')`);
  await page.waitForFunction(([selector, wanted]) => document.querySelector(selector)?.innerText === wanted,
    [`#mentor-rows tr[data-id="${id}"] .number`, String(Number(count) + 1)]);
  assert.deepEqual(await where(), before);
});

test("a narrow screen does not scroll sideways, and Save twice registers one contact", async () => {
  const page = await open("Mentor 1");
  await page.setViewportSize({ width: 360, height: 700 });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  const first = page.locator("#silent-rows tr").first();
  const id = await first.getAttribute("data-id");
  const contacts = () => sql(`SELECT count(*) FROM activities WHERE assignment_id = '${id}'`);
  const before = Number(contacts());
  await first.getByRole("button", { name: /^Register/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).dblclick();
  await page.getByText("Saved.").waitFor();
  assert.equal(Number(contacts()), before + 1);
  assert.notEqual(await page.evaluate(() => document.activeElement.tagName), "BODY");
});

test("a database that restarts is waited for", async () => {
  const page = await open("Mentor 1");
  const elsewhere = (statement) => execFileSync(`${process.env.PGBIN}/psql`, ["--no-psqlrc", "-qAt", "-d", "postgres", "-c", statement]);
  elsewhere(`ALTER DATABASE ${process.env.PGDATABASE} ALLOW_CONNECTIONS false`);
  elsewhere("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'remindersd'");
  await page.getByText("The server cannot be reached.").waitFor({ timeout: 15000 });
  elsewhere(`ALTER DATABASE ${process.env.PGDATABASE} ALLOW_CONNECTIONS true`);
  await page.locator("#notice").waitFor({ state: "hidden", timeout: 15000 });
  assert.equal(await page.locator("#own-count").isVisible(), true);
});

test("the token is not left in the address", async () => {
  const page = await open("Mentor 1");
  assert.equal(await page.evaluate(() => location.href), `${url}/`);
});

test("somebody unsubscribes by the link of a message, with the keyboard, without a script", async () => {
  const token = sql(`SELECT assignment_reminders.unsubscribe_token(id) FROM users WHERE organization_id = '${OSLO}' AND name = 'Student 2'`);
  context = await browser.newContext({ locale: "nb-NO" });
  const seen = await context.newPage();
  const complaints = [];
  seen.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  await seen.goto(`${url}/unsubscribe/${token}?type=24h`);
  await seen.getByRole("heading", { name: "Meld deg av" }).waitFor();
  assert.deepEqual([await serious(seen), complaints], [[], []]);
  await picture(seen, "unsubscribe");
  await context.close();
  context = await browser.newContext({ locale: "en-GB", javaScriptEnabled: false });
  const page = await context.newPage();
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  await page.goto(`${url}/unsubscribe/${token}?type=24h`);
  await page.getByRole("button", { name: "Stop reminders of due dates" }).press("Enter");
  await page.getByText("You get no more reminders of due dates.").waitFor();
  assert.deepEqual(complaints, []);
  assert.equal(sql(`SELECT p.muted_types, u.contact_opt_out FROM user_preferences p JOIN users u ON u.id = p.user_id WHERE u.organization_id = '${OSLO}' AND u.name = 'Student 2'`), "{due}|f");
});

test("the API's description can be read and tried at /docs, from this server alone", async () => {
  context = await browser.newContext();
  const page = await context.newPage();
  const complaints = [];
  const elsewhere = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("request", (request) => request.url().startsWith(url) || request.url().startsWith("data:") || elsewhere.push(request.url()));
  await page.goto(`${url}/docs/`);
  await page.getByText("/api/v1/assignments/{id}/last-contact").waitFor();
  assert.deepEqual([complaints, elsewhere], [[], []]);
});

test("a server that is gone is waited for, and the screen goes on when it is back", async () => {
  const page = await open("Mentor 1");
  service.kill("SIGKILL");
  await stopped();
  await page.getByText("The server cannot be reached.").waitFor({ timeout: 15000 });
  const [student, mentor, count] = sql(`SELECT (SELECT id FROM users WHERE organization_id = '${OSLO}' AND name = 'Student 1'), m.id, m.assignment_count
    FROM peer_mentors m JOIN users u ON u.id = m.user_id WHERE u.auth_user_id IS NOT NULL AND u.name = 'Mentor 1'`).split("|");
  sql(`INSERT INTO assignments (organization_id, title, student_id, peer_mentor_id) VALUES ('${OSLO}', 'meanwhile', '${student}', '${mentor}')`);
  url = await serve(new URL(url).host);
  await page.waitForFunction((wanted) => document.querySelector("#own-count").innerText === wanted, String(Number(count) + 1), { timeout: 15000 });
  assert.equal(await page.locator("#notice").isVisible(), false);
});
