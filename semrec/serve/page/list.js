"use strict";
/* The list beside the conversation: cards, what holds now, how it came about. Text is never HTML. */

const MAX_FACTS = 6, MAX_TEXT = 400, PAGE = 10, MAX_SHOWN = 50;

async function show(found, turn) {
  const records = await Promise.all(found.items.map((item) => recordOf(item.item_id)));
  if (turn !== state.asked) return;
  state.understood = found.understood;
  by("heading").textContent = headingOf(found.understood);
  by("status").textContent = `${counted(found.items.length)}, ${found.timings_ms.total.toFixed(0)} ms`;
  showCards(found.items, records);
  await showLimits(found.understood);
  showTrace(found);
  if (found.items.length <= PAGE) document.querySelector(".found").scrollTop = 0;
}

const counted = (n) => (n === 1 ? "1 item" : `${n} items`);

/* What was asked for: "Christmas films · no war". */
function headingOf(understood) {
  const wish = (understood.wishes || []).map((text) => text.trim()).filter(Boolean).join(", ").slice(0, 80);
  return wish ? wish[0].toUpperCase() + wish.slice(1) : "For you";
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
  by("further").hidden = items.length < PAGE || items.length >= MAX_SHOWN;
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
  const title = item.title || item.item_id;
  for (const type of ["like", "reject"]) {
    const button = part(type), taken = state.taken.get(item.item_id);
    button.setAttribute("aria-label", `${button.textContent.trim()}: ${title}`);
    button.setAttribute("aria-pressed", String(Boolean(taken && taken.type === type)));
    button.addEventListener("click", () => take(item.item_id, title, type, card));
  }
  part("alike").setAttribute("aria-label", `More like ${title}`);
  part("alike").addEventListener("click", () => showAlike(item.item_id, title));
  return card;
}

function factsOf([name, value]) {
  if (Array.isArray(value)) return value;
  if (typeof value === "boolean") return value ? [spoken(name)] : [];
  if (typeof value === "number") return [`${spoken(name)} ${value}`];
  return value && value.length > 2 ? [value] : [];
}

const spoken = (name) => name.replaceAll("_", " ");

/* A like or a rejection; pressed again it is taken back. One at a time for each item. */
async function take(itemId, title, type, card) {
  const buttons = [...card.querySelectorAll(".like, .reject")];
  if (buttons.some((button) => button.disabled)) return;
  const before = state.taken.get(itemId), off = before && before.type === type;
  buttons.forEach((button) => { button.disabled = true; });
  try {
    if (before) {
      await call(`v1/sessions/${state.session}/events/${before.event}`, undefined, "DELETE");
      state.taken.delete(itemId);
    }
    if (!off) {
      const event = newId();
      await call("v1/events", {
        events: [{ event_id: event, session_id: state.session, item_id: itemId, type }],
      });
      state.taken.set(itemId, { type, event });
    }
  } catch (error) {
    say(`That wasn’t kept: ${error.message}`, "it trouble");
    return;
  } finally {
    buttons.forEach((button) => { button.disabled = false; });
  }
  const pressed = state.taken.get(itemId);
  for (const button of buttons) {
    button.setAttribute("aria-pressed", String(Boolean(pressed && button.classList.contains(pressed.type))));
  }
  const word = type === "like" ? `♥ ${title}` : `Not for me: ${title}`;
  const act = say(off ? `Taken back: ${title}` : word, "act");
  if (!off) act.append(undoButton(itemId, title, type, card));
  await ask("");
  by("list").focus({ preventScroll: true });
}

function undoButton(itemId, title, type, card) {
  const button = element("button", "Undo", "small");
  button.type = "button";
  button.setAttribute("aria-label", `Undo: ${title}`);
  button.addEventListener("click", () => {
    button.remove();
    if (state.taken.has(itemId)) take(itemId, title, state.taken.get(itemId).type, card);
  });
  return button;
}

/* Items that go with one, in place of the list; the next message brings the conversation back. */
async function showAlike(itemId, title) {
  await instead(`Like “${title}”`, async () => {
    const found = await (await call(`v1/items/${encodeURIComponent(itemId)}/similar`)).json();
    return found.items;
  });
}

async function showTitles(text) {
  await instead(`Titles with “${text}”`, async () => {
    const found = await (await call(`v1/items?q=${encodeURIComponent(text)}&k=${PAGE}`)).json();
    return found.items.map((item, place) => ({ item_id: item.item_id, title: item.title, rank: place + 1 }));
  });
}

async function instead(heading, find) {
  const turn = ++state.asked;
  try {
    const items = await find();
    const records = await Promise.all(items.map((item) => recordOf(item.item_id)));
    if (turn !== state.asked) return;
    by("heading").textContent = heading;
    by("status").textContent = "";
    by("limits").replaceChildren(backChip());
    showCards(items, records);
    by("further").hidden = by("trace").hidden = true;
    document.querySelector(".found").scrollTop = 0;
  } catch (error) {
    if (turn === state.asked) by("status").textContent = error.message;
  }
}

function backChip() {
  const button = element("button", "‹ Back to the list", "back");
  button.type = "button";
  button.addEventListener("click", back);
  const entry = element("li");
  entry.append(button);
  return entry;
}

/* What holds now: each limit can be taken away, which sends back what was understood, edited. */

async function showLimits(understood) {
  const chips = [];
  const wishes = understood.wishes || [];
  if (wishes.length > 1) {
    wishes.forEach((wish, place) => chips.push(chip(wish, () => {
      say(`Without “${wish}”`, "act");
      ask("", { wishes: wishes.filter((_, other) => other !== place) });
    })));
  }
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
  for (const phrase of understood.not_understood || []) {
    chips.push(chip(`can’t check: ${phrase}`, () => ask("", {
      not_understood: understood.not_understood.filter((other) => other !== phrase),
    })));
  }
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

