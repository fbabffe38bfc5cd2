// The count screen. It shows what the API answers, and decides nothing: what the caller may see and do, the database says.
"use strict";

const TEXTS = {
  en: {
    skip: "Skip to content", title: "Assignment counts", language: "Language", own: "Your assignments, all told", mentors: "Peer mentors", search: "Search",
    name: "Name", count: "Assignments", silent: "Open assignments, longest without contact", assignment: "Assignment", student: "Student", mentor: "Peer mentor",
    last: "Last contact", days: "Days since", actions: "Actions", more: "Show more", register: "Register a contact", registerShort: "Register", correct: "Correct the last contact", correctShort: "Correct",
    when: "When", how: "Recorded", direct: "by the one who had it", proxy: "for the mentor", coordinator_proxy: "as coordinator, for the mentor", save: "Save", cancel: "Cancel",
    date: "Date (leave empty if there has been no contact)", reason: "Reason", never: "never", unnamed: "(no name)",
    hits: (n) => `${n} found`, saved: "Saved.", signedOut: "You are signed out. Sign in again.",
    away: "The server cannot be reached. Retrying …", nobody: "You are not registered in this organization.",
    needed: "This page is opened by a link that signs you in.", signOut: "Sign out",
    why: "Why, and what comes next", next: "Next", nothingNext: "nothing, if nothing changes", remind: "the mentor is reminded", escalate: "the coordinator is told",
    asked: "What is asked before anybody is written to", gate: "Question", value: "Found", passed: "Passed", passes: "yes", blocks: "no", what: "What happened", moment: "When", waiting: "One moment …", gone: "This assignment is not there any more.",
  },
  nb: {
    skip: "Hopp til innhold", title: "Antall oppdrag", language: "Språk", own: "Dine oppdrag i alt", mentors: "Mentorer", search: "Søk",
    name: "Navn", count: "Oppdrag", silent: "Åpne oppdrag, lengst uten kontakt", assignment: "Oppdrag", student: "Elev", mentor: "Mentor",
    last: "Siste kontakt", days: "Dager siden", actions: "Handlinger", more: "Vis flere", register: "Registrer kontakt", registerShort: "Registrer", correct: "Korriger siste kontakt", correctShort: "Korriger",
    when: "Når", how: "Registreres", direct: "av den som hadde kontakten", proxy: "på vegne av mentoren", coordinator_proxy: "som koordinator, på vegne av mentoren", save: "Lagre", cancel: "Avbryt",
    date: "Dato (la stå tom hvis det aldri har vært kontakt)", reason: "Begrunnelse", never: "aldri", unnamed: "(uten navn)",
    hits: (n) => `${n} funnet`, saved: "Lagret.", signedOut: "Du er logget ut. Logg inn igjen.",
    away: "Får ikke kontakt med serveren. Prøver igjen …", nobody: "Du er ikke registrert i denne organisasjonen.",
    needed: "Denne siden åpnes med en lenke som logger deg inn.", signOut: "Logg ut",
    why: "Hvorfor, og hva som kommer", next: "Neste", nothingNext: "ingenting, hvis ingenting endrer seg", remind: "mentoren minnes på det", escalate: "koordinatoren får beskjed",
    asked: "Det som spørres om før noen får beskjed", gate: "Spørsmål", value: "Funnet", passed: "Oppfylt", passes: "ja", blocks: "nei", what: "Det som har skjedd", moment: "Når", waiting: "Et øyeblikk …", gone: "Dette oppdraget finnes ikke lenger.",
    gates: {
      open: "åpent", followed_up: "følges opp", has_settings: "organisasjonen har innstillinger", day_on: "ingen fridag", not_paused: "ikke satt på pause",
      reminder_after_days: "dager til mentoren minnes på det", escalate_after_days: "dager til koordinatoren får beskjed", mentor_reminded: "mentoren er minnet på det",
      escalation_grace_days: "dagers frist etter påminnelsen", not_enqueued: "ikke lagt i kø allerede", hour_reached: "klokkeslettet er nådd",
      not_held: "ikke holdt tilbake", reachable: "mottakeren kan nås",
    },
  },
};

const element = (id) => document.getElementById(id);
const state = { language: "en", me: null, mentors: new Map(), silent: [], next: null, sort: "count", descending: true, notice: null, open: null, why: null };
const text = (key) => TEXTS[state.language][key];

/** What cannot be gone on from without signing in again. */
class SignedOut extends Error {}

/** The token that the link brought. It stays in this tab, and out of the address. */
function token() {
  const brought = new URLSearchParams(location.hash.slice(1)).get("token");
  if (brought) {
    sessionStorage.setItem("token", brought);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem("token");
}

async function ask(path, method = "GET", body = undefined, key = undefined) {
  const answer = await fetch(path, {
    method,
    headers: { authorization: `Bearer ${token()}`, ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(key === undefined ? {} : { "idempotency-key": key }) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (answer.status === 401) throw new SignedOut();
  if (answer.status >= 500 || answer.status === 429) throw new TypeError(answer.statusText);
  const found = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(found.detail ?? found.title), { status: answer.status });
  const link = answer.headers.get("link");
  return { found, next: link ? link.slice(1, link.indexOf(">")) : null };
}

async function all(path) {
  const rows = [];
  for (let at = path; at; ) {
    const { found, next } = await ask(at);
    rows.push(...found);
    at = next;
  }
  return rows;
}

function cell(row, content, className) {
  const made = document.createElement("td");
  if (className) made.className = className;
  if (content instanceof Node) made.append(content);
  else made.textContent = content;
  row.append(made);
  return made;
}

function button(label, meaning, about, action) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = label;
  made.setAttribute("aria-label", `${meaning}: ${about}`);
  made.addEventListener("click", action);
  return made;
}

/** English as the browser has it. */
const locale = () => navigator.languages.find((language) => language.startsWith(state.language)) ?? state.language;

const shownDate = (date) => (date ? new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeZone: "UTC" }).format(new Date(date)) : text("never"));

const isCoordinator = () => state.me && state.me.role !== "member";

function showMentors() {
  const wanted = element("search").value.trim().toLocaleLowerCase(state.language);
  const rows = [...state.mentors.values()].filter((mentor) => `${mentor.name ?? ""} ${mentor.email ?? ""}`.toLocaleLowerCase(state.language).includes(wanted));
  const order = new Intl.Collator(state.language, { numeric: true });
  rows.sort((a, b) => (state.sort === "count" ? a.assignment_count - b.assignment_count : order.compare(a.name ?? "", b.name ?? "")) || order.compare(a.id, b.id));
  if (state.descending) rows.reverse();
  element("hits").textContent = wanted ? text("hits")(rows.length) : "";
  const body = element("mentor-rows");
  body.replaceChildren(...rows.map((mentor) => {
    const row = document.createElement("tr");
    row.dataset.id = mentor.id;
    cell(row, mentor.name ?? text("unnamed"));
    cell(row, String(mentor.assignment_count), "number");
    return row;
  }));
  for (const head of document.querySelectorAll("[data-sort]")) {
    head.parentElement.setAttribute("aria-sort", head.dataset.sort === state.sort ? (state.descending ? "descending" : "ascending") : "none");
  }
}

function showSilent() {
  element("silent-rows").replaceChildren(...state.silent.flatMap((assignment) => {
    const row = document.createElement("tr");
    row.dataset.id = assignment.assignment_id;
    cell(row, isCoordinator() ? opener(assignment) : assignment.title);
    cell(row, assignment.student_name ?? text("unnamed"));
    cell(row, assignment.peer_mentor_name ?? "");
    cell(row, shownDate(assignment.last_contact_date));
    cell(row, String(assignment.days_since), "number");
    const actions = cell(row, "");
    if (isCoordinator() || assignment.peer_mentor_id === state.me?.peer_mentor_id) {
      actions.append(button(text("registerShort"), text("register"), assignment.title, () => openContact(assignment)));
    }
    if (isCoordinator()) actions.append(" ", button(text("correctShort"), text("correct"), assignment.title, () => openCorrection(assignment)));
    return assignment.assignment_id === state.open ? [row, explanation()] : [row];
  }));
  element("more").hidden = !state.next;
}

/** Opens a row to why it is there. It says itself whether it is open. */
function opener(assignment) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "opener";
  made.textContent = assignment.title;
  made.title = text("why");
  made.setAttribute("aria-expanded", String(assignment.assignment_id === state.open));
  if (assignment.assignment_id === state.open) made.setAttribute("aria-controls", "why");
  made.addEventListener("click", () => openWhy(assignment.assignment_id));
  return made;
}

async function openWhy(id) {
  state.open = state.open === id ? null : id;
  state.why = null;
  showSilent();
  document.querySelector(`[data-id="${id}"] .opener`)?.focus();
  await readWhy();
}

/** Asks about the row that is open. The row itself stays as it is, with the keyboard where it is. */
async function readWhy() {
  const id = state.open;
  if (!id) return;
  let found;
  try {
    const path = `/api/v1/assignments/${id}`;
    const [why, timeline] = await Promise.all([ask(`${path}/explanation`), all(`${path}/timeline?limit=1000`)]);
    found = { ...why.found, timeline };
  } catch (error) {
    if (error instanceof SignedOut) return tell("signedOut");
    found = { failed: error instanceof TypeError ? "away" : error.status === 404 ? "gone" : null, detail: error.message };
  }
  if (state.open !== id) return;
  state.why = found;
  element("why")?.replaceWith(explanation());
}

function part(name, content) {
  const made = document.createElement(name);
  made.append(content);
  return made;
}

function table(caption, heads, rows) {
  const made = document.createElement("table");
  made.append(part("caption", caption));
  const head = made.createTHead().insertRow();
  for (const name of heads) {
    const of = part("th", name);
    of.scope = "col";
    head.append(of);
  }
  const body = made.createTBody();
  for (const cells of rows) {
    const row = body.insertRow();
    for (const content of cells) cell(row, content);
  }
  return made;
}

/** The row under the one that is open: the paragraph, what comes next, what was asked, and what happened. The database's words are English. */
function explanation() {
  const row = document.createElement("tr");
  row.id = "why";
  const all = document.createElement("div");
  cell(row, all).colSpan = 6;
  const why = state.why;
  if (!why || "failed" in why) {
    all.append(part("p", !why ? text("waiting") : why.failed ? text(why.failed) : why.detail));
    all.firstChild.setAttribute("role", "status");
    return row;
  }
  const english = (content, name = "span") => {
    const made = part(name, content);
    made.lang = "en";
    return made;
  };
  const gateName = (code) => text("gates")?.[code];
  const said = english(why.explanation, "p");
  said.setAttribute("role", "status");
  const comes = part("p", part("strong", `${text("next")}: `));
  comes.append(why.next_action ? `${text(why.next_action)}, ${shownDate(why.next_on)}` : text("nothingNext"));
  const gates = why.gates.map((gate) => [gateName(gate.gate) ?? english(gate.gate.replaceAll("_", " ")), english(gate.value), text(gate.is_passed ? "passes" : "blocks")]);
  const moment = new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" });
  const told = (event) => (event.reason && !event.text.includes(event.reason) ? `${event.text} (${event.reason})` : event.text);
  const events = why.timeline.map((event) => [moment.format(new Date(event.happened_at)), english(told(event))]);
  all.append(said, comes, table(text("asked"), [text("gate"), text("value"), text("passed")], gates), table(text("what"), [text("moment"), text("what")], events));
  return row;
}

function showOwn() {
  const own = state.me?.peer_mentor_id ? state.mentors.get(state.me.peer_mentor_id) : null;
  element("own").hidden = !own;
  element("own-count").textContent = own ? String(own.assignment_count) : "";
}

function show() {
  document.documentElement.lang = state.language;
  document.title = text("title");
  for (const part of document.querySelectorAll("[data-text]")) part.textContent = text(part.dataset.text);
  const notice = element("notice");
  notice.hidden = !state.notice;
  notice.textContent = state.notice ? text(state.notice) : "";
  element("who").textContent = state.me ? [state.me.name, state.me.organization].filter(Boolean).join(", ") : "";
  element("sign-out").hidden = !state.me;
  element("mentors").hidden = !isCoordinator();
  element("silent").hidden = !state.me;
  showOwn();
  showMentors();
  showSilent();
}

function tell(notice) {
  state.notice = notice;
  show();
}

/** The list from its beginning, as long as it was. */
async function askSilent() {
  const { found, next } = await ask(`/api/v1/silent-assignments?limit=${Math.min(1000, Math.max(50, state.silent.length))}`);
  return { silent: found, next };
}

async function readSilent() {
  Object.assign(state, await askSilent());
}

async function readMentors() {
  state.mentors = new Map((await all("/api/v1/peer-mentors?limit=1000")).map((mentor) => [mentor.id, mentor]));
}

/** Opens a dialog about an assignment, and sends what it asks for until that is taken or given up. */
function openDialog(id, assignment, prepare, send) {
  const dialog = element(id);
  const form = dialog.querySelector("form");
  const wrong = dialog.querySelector(".wrong");
  // Sent twice, a contact is registered once.
  const key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  form.reset();
  wrong.textContent = "";
  dialog.querySelector(".about").textContent = assignment.title;
  prepare(form.elements);
  form.onsubmit = async (event) => {
    if (event.submitter?.value === "cancel") return;
    event.preventDefault();
    if (form.dataset.sending) return;
    form.dataset.sending = "yes";
    try {
      await send(form.elements, key);
      dialog.close();
      await readSilent();
      show();
      readWhy();
      // Where the keyboard was: at the same assignment or, where it moved away, at the list.
      (document.querySelector(`[data-id="${assignment.assignment_id}"] button`) ?? element("silent-list")).focus();
      element("told").textContent = text("saved");
      setTimeout(() => { element("told").textContent = ""; }, 10000);
    } catch (error) {
      if (error instanceof SignedOut) {
        dialog.close();
        tell("signedOut");
      } else {
        wrong.textContent = error instanceof TypeError ? text("away") : error.message;
      }
    } finally {
      delete form.dataset.sending;
    }
  };
  element("told").textContent = "";
  dialog.showModal();
}

function openContact(assignment) {
  const path = `/api/v1/assignments/${assignment.assignment_id}/activities`;
  openDialog("contact", assignment, (fields) => {
    const now = new Date();
    fields.when.value = new Date(now.getTime() - now.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
  }, (fields, key) => ask(path, "POST", { occurred_at: new Date(fields.when.value).toISOString(), registration: fields.how.value }, key));
}

function openCorrection(assignment) {
  const path = `/api/v1/assignments/${assignment.assignment_id}/last-contact`;
  openDialog("correction", assignment, (fields) => {
    fields.date.value = assignment.last_contact_date ?? "";
  }, (fields) => ask(path, "PUT", { date: fields.date.value || null, reason: fields.reason.value }));
}

/** Follows the counts until the server or the token says stop. */
async function follow() {
  const answer = await fetch("/api/v1/live", { headers: { authorization: `Bearer ${token()}` } });
  if (answer.status === 401) throw new SignedOut();
  if (!answer.ok) throw new TypeError(answer.statusText);
  if (state.notice === "away") tell(null);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let received = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    received += value;
    for (let end; (end = received.indexOf("\n\n")) >= 0; received = received.slice(end + 2)) {
      const data = received.slice(0, end).split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("");
      if (data) await changed(JSON.parse(data));
    }
  }
}

async function changed(counts) {
  const news = Object.entries(counts).filter(([id, count]) => (state.mentors.get(id)?.assignment_count ?? null) !== count);
  if (!news.length) return;
  if (news.some(([id]) => !state.mentors.has(id))) await readMentors();
  for (const [id, count] of news) {
    if (count === null) state.mentors.delete(id);
    else if (state.mentors.has(id)) state.mentors.get(id).assignment_count = count;
  }
  showOwn();
  showMentors();
  if (isInUse()) return;
  const list = await askSilent();
  // Meanwhile somebody may have begun.
  if (isInUse()) return;
  Object.assign(state, list);
  showSilent();
}

/** Under somebody's hands, the list of assignments stays as it is. */
function isInUse() {
  return element("silent").contains(document.activeElement) || document.querySelector("dialog[open]") || state.open || state.silent.length > 50;
}

async function start() {
  state.language = localStorage.getItem("language") ?? (/^(nb|nn|no)/.test(navigator.language) ? "nb" : "en");
  element("language").value = state.language;
  element("language").addEventListener("change", (event) => {
    state.language = event.target.value;
    localStorage.setItem("language", state.language);
    show();
  });
  element("search").addEventListener("input", showMentors);
  for (const head of document.querySelectorAll("[data-sort]")) {
    head.addEventListener("click", () => {
      state.descending = state.sort === head.dataset.sort ? !state.descending : head.dataset.sort === "count";
      state.sort = head.dataset.sort;
      showMentors();
    });
  }
  element("sign-out").addEventListener("click", () => {
    sessionStorage.removeItem("token");
    // What is open ends with the page.
    location.reload();
  });
  element("more").addEventListener("click", async () => {
    element("more").disabled = true;
    try {
      const { found, next } = await ask(state.next);
      state.silent.push(...found);
      state.next = next;
      showSilent();
    } catch (error) {
      tell(error instanceof SignedOut ? "signedOut" : "away");
    } finally {
      element("more").disabled = false;
    }
  });
  // Another link, in the same tab.
  addEventListener("hashchange", () => location.hash.includes("token=") && location.reload());
  if (!token()) return tell("needed");
  for (;;) {
    try {
      const me = await ask("/api/v1/me").catch((error) => {
        if (error.status === 404) return null;
        throw error;
      });
      if (!me) return tell("nobody");
      state.me = me.found;
      await readMentors();
      await readSilent();
      tell(null);
      await follow();
    } catch (error) {
      if (error instanceof SignedOut) {
        state.me = null;
        return tell("signedOut");
      }
      tell("away");
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

start();
