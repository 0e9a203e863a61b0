"use strict";
/* The chat page. Whatever comes from the service or from a person is put in as text, never as HTML.

   message → POST v1/chat (server-sent events: the list, then the words) → cards, limits, trace */

const MAX_FACTS = 6, NO_LIMIT = 26, BUDGET_STEP_MS = 20, SETTLE_MS = 250, MAX_TEXT = 400;
const by = (id) => document.getElementById(id);
const state = { session: newId(), understood: null, items: new Map(), asked: 0, key: "" };

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function element(name, text = "", className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

/* Talking to the service */

async function call(path, body) {
  const headers = { "content-type": "application/json" };
  if (state.key) headers.authorization = `Bearer ${state.key}`;
  const answer = await fetch(path, body === undefined ? { headers }
    : { method: "POST", headers, body: JSON.stringify(body) });
  if (answer.ok) return answer;
  if (answer.status === 401) {
    by("key-setting").hidden = false;
    showSettings(true);
    by("key").focus();
  }
  const problem = await answer.json().catch(() => ({}));
  throw new Error(problem.detail || `the service answered ${answer.status}`);
}

async function* eventsOf(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = "";;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const parts = text.split("\n\n");
    text = parts.pop();
    for (const part of parts) {
      const [name, data] = part.split("\ndata: ");
      yield { name: name.replace("event: ", ""), data: JSON.parse(data) };
    }
  }
}

function tuned() {
  const steps = Number(by("budget").value);
  return {
    semantic_weight: by("weight-auto").checked ? null : Number(by("weight").value) / 20,
    budget_ms: steps === NO_LIMIT ? null : steps * BUDGET_STEP_MS,
  };
}

/* One turn. `changes` are edits of what was understood; a turn without words only asks anew. */
async function ask(message, changes = null) {
  const turn = ++state.asked;
  document.body.classList.add("waiting");
  by("status").textContent = "…";
  let words = null;
  try {
    const answer = await call("v1/chat", {
      message, session_id: state.session, explain: true, trace: true, stream: true, ...tuned(),
      ...(changes ? { understood: changes } : {}),
    });
    for await (const { name, data } of eventsOf(answer)) {
      if (turn !== state.asked) return;
      if (name === "items") await show(data, turn);
      if (name === "words" && message) {
        words = words || say("", "it");
        words.textContent += data.text;
        scrollLog();
      }
    }
  } catch (error) {
    if (turn === state.asked) {
      by("status").textContent = "";
      say(`That didn’t work: ${error.message}`, "it trouble");
    }
  } finally {
    if (turn === state.asked) document.body.classList.remove("waiting");
  }
}

function say(text, who) {
  by("welcome").hidden = true;
  const said = by("log").appendChild(element("div", text, `said ${who}`));
  scrollLog();
  return said;
}

function scrollLog() {
  by("log").scrollTop = by("log").scrollHeight;
}

/* The list */

async function show(found, turn) {
  const records = await Promise.all(found.items.map((item) => recordOf(item.item_id)));
  if (turn !== state.asked) return;
  state.understood = found.understood;
  by("heading").textContent = "For you";
  by("status").textContent = `${found.items.length} in ${found.timings_ms.total.toFixed(0)} ms`;
  showCards(found.items, records);
  await showLimits(found.understood);
  showTrace(found);
  document.querySelector(".found").scrollTop = 0;
}

async function recordOf(itemId) {
  if (!state.items.has(itemId)) {
    const asked = call(`v1/items/${encodeURIComponent(itemId)}`).then((answer) => answer.json());
    state.items.set(itemId, asked.catch(() => {
      state.items.delete(itemId);
      return { title: "", attributes: {} };
    }));
  }
  return state.items.get(itemId);
}

function showCards(items, records) {
  const cards = items.map((item, place) => cardOf(item, records[place]));
  if (!cards.length) cards.push(element("li", "Nothing fits all of this. Take a limit away above.", "nothing"));
  by("list").replaceChildren(...cards);
}

function cardOf(item, record) {
  const card = by("card").content.cloneNode(true).firstElementChild;
  const part = (name) => card.querySelector(`.${name}`);
  const { year, ...others } = record.attributes || {};
  part("rank").textContent = item.rank;
  part("title").textContent = item.title || item.item_id;
  part("year").textContent = year ?? "";
  const facts = new Map();  // what is a genre and a keyword too is shown once
  for (const fact of Object.entries(others).flatMap(factsOf)) {
    if (!facts.has(fact.toLowerCase())) facts.set(fact.toLowerCase(), fact);
  }
  part("facts").textContent = [...facts.values()].slice(0, MAX_FACTS).join(" · ");
  part("text").textContent = (record.text || "").slice(0, MAX_TEXT);
  part("why").textContent = item.explanation || "";
  for (const type of ["like", "reject"]) {
    const button = part(type), title = item.title || item.item_id;
    button.setAttribute("aria-label", `${button.textContent.trim()}: ${title}`);
    button.addEventListener("click", () => take(item.item_id, title, type, button));
  }
  return card;
}

function factsOf([name, value]) {
  if (Array.isArray(value)) return value;
  if (typeof value === "boolean") return value ? [spoken(name)] : [];
  if (typeof value === "number") return [`${spoken(name)} ${value}`];
  return value && value.length > 2 ? [value] : [];
}

const spoken = (name) => name.replaceAll("_", " ");

async function take(itemId, title, type, button) {
  button.setAttribute("aria-pressed", "true");
  try {
    await call("v1/events", {
      events: [{ event_id: newId(), session_id: state.session, item_id: itemId, type }],
    });
  } catch (error) {
    button.removeAttribute("aria-pressed");
    say(`That wasn’t kept: ${error.message}`, "it trouble");
    return;
  }
  say(type === "like" ? `♥ ${title}` : `Not for me: ${title}`, "act");
  await ask("");
  by("list").focus({ preventScroll: true });
}

/* What holds now: each limit can be taken away, which sends back what was understood, edited. */

async function showLimits(understood) {
  const chips = [];
  for (const [name, condition] of Object.entries(understood.filters || {})) {
    const of = condition !== null && typeof condition === "object" ? condition : { any: [condition] };
    for (const [operators, text] of phrasesOf(name, of)) {
      chips.push(chip(text, () => {
        const left = Object.fromEntries(Object.entries(of).filter(([key]) => !operators.includes(key)));
        const filters = { ...understood.filters, [name]: left };
        if (!Object.keys(left).length) delete filters[name];
        say(`Without “${text}”`, "act");
        ask("", { filters });
      }));
    }
  }
  for (const phrase of understood.not_understood || []) chips.push(chip(`can’t check: ${phrase}`));
  const liked = (understood.session || []).filter((event) => event.type !== "reject").slice(-4);
  for (const event of liked) {
    const record = await recordOf(event.item_id);
    if (record.title) chips.push(chip(`♥ ${record.title}`));
  }
  by("limits").replaceChildren(...chips);
}

function phrasesOf(name, of) {
  const list = (values, joint) => (values.length > 4 && values.every(Number.isInteger)
    ? `${Math.min(...values)}–${Math.max(...values)}` : values.slice(0, 5).join(joint));
  const found = [];
  if (of.none) found.push([["none"], `no ${list(of.none, ", ")}`]);
  if (of.any) found.push([["any"], `only ${list(of.any, " or ")}`]);
  if (of.all) found.push([["all"], `only ${list(of.all, " and ")}`]);
  const low = of.gte ?? of.gt, high = of.lte ?? of.lt;
  const bounds = ["gt", "gte", "lt", "lte"];
  const least = of.gte === undefined ? "over " : "", most = of.lte === undefined ? "under " : "";
  if (low !== undefined && high !== undefined) found.push([bounds, `${spoken(name)} ${least}${low} – ${most}${high}`]);
  else if (low !== undefined) found.push([bounds, `${spoken(name)} ${least || "from "}${low}`]);
  else if (high !== undefined) found.push([bounds, `${spoken(name)} ${most || "up to "}${high}`]);
  return found;
}

function chip(text, remove = null) {
  const made = element("li", "", remove ? "chip" : "chip plain");
  made.append(element("span", text));
  if (remove) {
    const button = element("button", "×");
    button.type = "button";
    button.setAttribute("aria-label", `Take away: ${text}`);
    button.addEventListener("click", remove);
    made.append(button);
  }
  return made;
}

/* How it came about */

function showTrace(found) {
  const weights = (found.trace && found.trace.weights) || {};
  const shares = [["words and text", "semantic"], ["behaviour", "behavioural"],
    ["popularity", "popularity"], ["asked for before", "domain"]].filter(([, name]) => weights[name] > 0.005);
  const stack = element("div", "", "stack"), key = element("div", "", "key");
  shares.forEach(([label, name], place) => {
    const bar = element("span", "", `c${place + 1}`), entry = element("span");
    bar.style.flexGrow = String(weights[name]);
    entry.append(element("i", "", `c${place + 1}`), `${label} ${(100 * weights[name]).toFixed(0)} %`);
    stack.append(bar);
    key.append(entry);
  });
  by("weights").replaceChildren(stack, key);
  const { total, ...stages } = found.timings_ms;
  const rows = Object.entries(stages).map(([name, spent]) => stageRow(name, spent, total));
  rows.push(stageRow("total", total, total));
  by("stages").replaceChildren(...rows);
  const notes = ((found.trace && found.trace.notes) || []).join("; ");
  by("about").textContent = [`reranking: ${found.rerank.status}`, found.version && `artifact ${found.version}`,
    `list ${found.recommendation_id}`, notes].filter(Boolean).join(" · ");
  by("trace").hidden = false;
}

function stageRow(name, spent, total) {
  const row = element("div", "", name === "total" ? "stage total" : "stage");
  const meter = element("meter");
  meter.max = total || 1;
  meter.value = spent;
  meter.setAttribute("aria-hidden", "true");
  row.append(element("span", spoken(name)), name === "total" ? element("span") : meter,
    element("span", `${spent.toFixed(1)} ms`));
  return row;
}

/* Settings, the start, the keyboard */

function showSettings(open) {
  by("settings").hidden = !open;
  by("tune").setAttribute("aria-expanded", String(open));
}

let settling = 0;
function settingsChanged() {
  const { semantic_weight: weight, budget_ms: budget } = tuned();
  by("weight").disabled = weight === null;
  by("weight-shown").textContent = weight === null ? "decided for each request" : `${Math.round(100 * weight)} % words`;
  by("budget-shown").textContent = budget === null ? "no limit" : `${budget} ms`;
  clearTimeout(settling);
  settling = setTimeout(() => ask(""), SETTLE_MS);
}

function send(text) {
  const message = text.trim();
  if (!message) return;
  say(message, "you");
  by("message").value = "";
  fitMessage();
  ask(message);
}

function fitMessage() {
  by("message").style.height = "auto";
  by("message").style.height = `${by("message").scrollHeight}px`;
}

async function start() {
  state.session = newId();
  state.understood = null;
  by("log").replaceChildren(by("welcome"));
  by("welcome").hidden = false;
  by("limits").replaceChildren();
  const turn = ++state.asked;
  try {
    const found = await (await call("v1/recommend", { explain: true, trace: true })).json();
    const records = await Promise.all(found.items.map((item) => recordOf(item.item_id)));
    if (turn !== state.asked) return;
    by("heading").textContent = "Popular";
    by("status").textContent = "";
    showCards(found.items, records);
    showTrace(found);
    showExamples(found.items, records);
  } catch (error) {
    by("status").textContent = error.message;
  }
}

/* What one could say here, made of what is in this catalogue. */
function showExamples(items, records) {
  // Of one attribute, the first that holds lists: of several, labels of different kinds would meet.
  const labels = [...new Set(records.flatMap((record) => Object.values(record.attributes || {})
    .find(Array.isArray) || []))].filter((label) => label.length > 3);
  const said = [];
  if (items[0]) said.push(`something like “${items[0].title}”`);
  if (labels.length > 2) said.push(`${labels[1].toLowerCase()} without any ${labels[2].toLowerCase()}`);
  if (records.some((record) => record.attributes && record.attributes.year)) said.push("something bittersweet from the nineties");
  by("examples").replaceChildren(...said.map((text) => {
    const entry = element("li"), button = element("button", text);
    button.type = "button";
    button.addEventListener("click", () => send(text));
    entry.append(button);
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
by("key").addEventListener("change", () => { state.key = by("key").value; start(); });
for (const id of ["weight", "weight-auto", "budget"]) by(id).addEventListener("input", settingsChanged);
start();
