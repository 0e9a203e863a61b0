"use strict";
/* The chat page. Whatever comes from the service or from a person is put in as text, never as HTML.

   message → POST v1/chat (server-sent events: the list, then the words) → cards, limits, trace */

const NO_LIMIT = 26, BUDGET_STEP_MS = 20, SETTLE_MS = 250, DOTS_MS = 300, MAX_KEPT = 200;
const state = {
  session: newId(), understood: null, items: new Map(), asked: 0, key: "", k: PAGE,
  taken: new Map(),  // item id → the like or rejection that holds, and its event's id
  queue: Promise.resolve(),  // messages are answered one after the other
};

function tuned() {
  const steps = Number(by("budget").value), variety = Number(by("variety").value);
  return {
    semantic_weight: by("weight-auto").checked ? null : Number(by("weight").value) / 20,
    budget_ms: steps === NO_LIMIT ? null : steps * BUDGET_STEP_MS,
    diversity: variety < 0 ? null : variety / 10,
  };
}

/* One turn. `changes` are edits of what was understood; a turn without words only asks anew. */
async function ask(message, changes = null) {
  const turn = ++state.asked, { session } = state;
  document.body.classList.add("waiting");
  by("status").textContent = "…";
  const dots = message ? setTimeout(() => typing(true), DOTS_MS) : 0;
  let words = null;
  try {
    const answer = await call("v1/chat", {
      message, session_id: state.session, explain: true, trace: true, stream: true, k: state.k,
      ...tuned(), ...(changes ? { understood: changes } : {}),
    });
    for await (const { name, data } of eventsOf(answer)) {
      if (session !== state.session) return true;  // another conversation is on the page by now
      if (name === "items" && turn === state.asked) await show(data, turn);
      if (name === "words" && message) {
        typing(false);
        words = words || reply();
        words.firstChild.textContent += data.text;
        scrollLog();
      }
    }
    if (message) keepLog();
    return true;
  } catch (error) {
    if (session !== state.session) return true;
    if (turn === state.asked) by("status").textContent = "";
    const trouble = say(`That didn’t work: ${error.message}. `, "it trouble");
    trouble.append(button("Try again", "small", () => {
      trouble.remove();
      if (message) queue(message); else ask(message, changes);
    }));
    return false;
  } finally {
    clearTimeout(dots);
    typing(false);
    if (words) by("log").setAttribute("aria-busy", "false");
    keepFocus();
    if (turn === state.asked) document.body.classList.remove("waiting");
  }
}

/* Messages that are sent quickly each get their answer, in their order. */
function queue(message) {
  state.queue = state.queue.then(() => ask(message));
  return state.queue;
}

/* An empty reply, to be filled word by word: a screen reader waits for the whole of it. */
function reply() {
  by("log").setAttribute("aria-busy", "true");
  return say("", "it");
}

/* A button that an answer took away leaves the focus nowhere: it goes to the list's heading. */
function keepFocus() {
  const active = document.activeElement;
  if (!active || active === document.body || !active.checkVisibility()) by("heading").focus({ preventScroll: true });
}

function typing(on) {
  by("typing").hidden = !on;
  if (on) scrollLog();
}

function say(text, who) {
  by("welcome").hidden = true;
  const said = element("div", "", `said ${who}`);
  said.append(element("span", text));
  if (who === "you") said.append(button("Edit", "small", () => edit(text)));
  by("log").insertBefore(said, by("typing"));
  scrollLog();
  return said;
}

/* On a phone the whole page scrolls: the answer and the head of the list come into view. */
function scrollLog() {
  by("log").scrollTop = by("log").scrollHeight;
  if (document.scrollingElement.scrollTop > by("log").offsetHeight) document.scrollingElement.scrollTop = 0;
}

function edit(text) {
  by("message").value = text;
  fitMessage();
  by("message").focus();
}

/* The conversation's name stands in the address, what was said in this browser: a reload keeps both. */
const logKey = (session = state.session) => `semrec:${session}`;

function keepLog() {
  const said = [...document.querySelectorAll(".said:not(.trouble)")].slice(-MAX_KEPT);
  const entries = said.map((entry) => [entry.className.replace("said ", ""), entry.firstChild.textContent]);
  try {
    localStorage.setItem(logKey(), JSON.stringify({ entries, taken: [...state.taken], at: Date.now() }));
    goTo(`#${state.session}`);
  } catch { /* where a browser keeps nothing, the conversation still goes on */ }
}

/* One entry of the browser's history for each conversation: back and forward lead from one to another. */
function goTo(hash) {
  if (location.hash !== hash) history.pushState(null, "", hash || location.pathname);
}

function arrive() {
  const [, session] = location.hash.match(/^#([0-9a-f]{32})$/) || [];
  return session ? resume(session) : start();
}

function keptLog(session = state.session) {
  try {
    return JSON.parse(localStorage.getItem(logKey(session)) || "null");
  } catch {
    return null;
  }
}

function keptSessions() {
  try {
    return Object.keys(localStorage).flatMap((key) => (key.match(/^semrec:([0-9a-f]{32})$/) || []).slice(1));
  } catch {
    return [];
  }
}

/* Settings, the start, the keyboard */

function showSettings(open) {
  by("settings").hidden = !open;
  by("tune").setAttribute("aria-expanded", String(open));
}

let settling = 0;
function settingsChanged() {
  const { semantic_weight: weight, budget_ms: budget, diversity } = tuned();
  by("weight").disabled = weight === null;
  by("weight-shown").textContent = weight === null ? "decided for each request" : `${Math.round(100 * weight)} % words`;
  by("budget-shown").textContent = budget === null ? "no limit" : `${budget} ms`;
  by("variety-shown").textContent = diversity === null ? "as set up" : `${Math.round(100 * diversity)} %`;
  clearTimeout(settling);
  settling = setTimeout(() => ask(""), SETTLE_MS);
}

function send(text) {
  const message = text.trim();
  if (!message) return;
  say(message, "you");
  by("message").value = "";
  fitMessage();
  state.k = PAGE;
  queue(message).then((done) => {
    if (!done && !by("message").value) edit(message);  // nothing that was written is lost
  });
}

function fitMessage() {
  by("message").style.height = "auto";
  by("message").style.height = `${by("message").scrollHeight}px`;
}

async function start() {
  begin(newId());
  goTo("");
  by("welcome").hidden = false;
  await popular();
}

/* An empty page for a conversation, new or kept. */
function begin(session) {
  Object.assign(state, { session, understood: null, k: PAGE });
  state.taken.clear();
  document.body.classList.remove("waiting");
  by("log").replaceChildren(by("welcome"), by("typing"));
  by("list").replaceChildren();
  by("limits").replaceChildren();
}

async function popular() {
  const turn = ++state.asked;
  try {
    const found = await (await call("v1/recommend", { explain: true, trace: true, k: state.k })).json();
    const records = await recordsOf(found.items);
    if (turn !== state.asked) return;
    by("compare").hidden = true;
    by("heading").textContent = "Popular";
    by("status").textContent = "";
    showCards(found.items, records);
    showTrace(found);
    showExamples(found.items, records);
  } catch (error) {
    by("status").textContent = error.message;
  }
}

/* The list of the conversation as it stands, again. */
function back() {
  return state.understood ? ask("") : start();
}

async function further() {
  if (by("further").hidden || document.body.classList.contains("waiting")) return;
  state.k = Math.min(state.k + PAGE, MAX_SHOWN);
  await (state.understood ? ask("") : popular());
}

/* A conversation that the address names goes on. */
async function resume(session) {
  begin(session);
  const kept = keptLog();
  for (const [who, text] of (kept && kept.entries) || []) say(text, who);
  state.taken = new Map((kept && kept.taken) || []);
  await ask("");
}

/* What one could say here, made of what is in this catalogue. */
function showExamples(items, records) {
  // Of one attribute, the first that holds lists: of several, labels of different kinds would meet.
  const labels = [...new Set(records.flatMap((record) => Object.values(record.attributes || {})
    .find(Array.isArray) || []))].filter((label) => label.length > 3);
  const said = [];
  if (items[0]) said.push(`something like “${items[0].title}”`);
  if (labels.length > 2) said.push(`${labels[1].toLowerCase()} without any ${labels[2].toLowerCase()}`);
  const attributes = records.map((record) => record.attributes || {});
  const prices = attributes.map((of) => of.price).filter(Number.isFinite).sort((a, b) => a - b);
  const cheaper = Math.ceil(prices[prices.length >> 1] / 10) * 10;
  const affordable = `something ${labels[0] ? `for ${labels[0].toLowerCase()} ` : ""}under ${cheaper}`;
  if (prices.length) said.push(affordable);
  else if (attributes.some((of) => of.year < 2000)) said.push("something bittersweet from the nineties");
  by("examples").replaceChildren(...said.map((text) => {
    const entry = element("li");
    entry.append(button(text, "", () => send(text)));
    return entry;
  }));
}

if (!matchMedia("(pointer: coarse)").matches) by("message").focus();  // on a phone keys would cover the list
by("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  send(by("message").value);
});
by("message").addEventListener("input", fitMessage);
by("message").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    send(by("message").value);
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.matches("input, textarea")) {
    event.preventDefault();
    by("message").focus();
  }
});
by("tune").addEventListener("click", () => showSettings(by("settings").hidden));
by("anew").addEventListener("click", () => { start(); by("message").focus(); });
by("share").addEventListener("click", async () => {
  await navigator.clipboard.writeText(location.href).catch(() => {});
  by("share").textContent = "Link copied";
  setTimeout(() => { by("share").textContent = "Copy link"; }, 2000);
});
by("key").addEventListener("change", () => { state.key = by("key").value; start(); });
for (const id of ["weight", "weight-auto", "budget", "variety"]) by(id).addEventListener("input", settingsChanged);
by("further").addEventListener("click", further);
new IntersectionObserver(([seen]) => { if (seen.isIntersecting && by("list").dataset.scrolled) further(); })
  .observe(by("further"));
document.addEventListener("scroll", () => { by("list").dataset.scrolled = "yes"; }, { capture: true, passive: true });
let searching = 0;
by("find").addEventListener("input", () => {
  clearTimeout(searching);
  const text = by("find").value.trim();
  searching = setTimeout(() => (text ? showTitles(text) : back()), SETTLE_MS);
});
window.addEventListener("popstate", arrive);
arrive();
