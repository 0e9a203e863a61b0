"use strict";
/* The list beside the conversation: cards, what holds now, how it came about. Text is never HTML. */

const MAX_FACTS = 8, MAX_TEXT = 400, PAGE = 10, MAX_SHOWN = 50;

async function show(found, turn) {
  const records = await recordsOf(found.items);
  if (turn !== state.asked) return;
  state.understood = found.understood;
  by("heading").textContent = headingOf(found.understood);
  by("status").textContent = `${counted(found.items.length)}, ${found.timings_ms.total.toFixed(0)} ms`;
  showCards(found.items, records);
  if (!found.items.length) showWays(found);
  await showLimits(found.understood);
  showTrace(found);
  showCompared(found, turn);
  if (found.items.length <= PAGE) document.querySelector(".found").scrollTop = 0;
}

const counted = (n) => (n === 1 ? "1 item" : `${n} items`);

/* What was asked for: "Christmas films · no war". */
function headingOf(understood) {
  const wish = (understood.wishes || []).map((text) => text.trim()).filter(Boolean).join(", ").slice(0, 80);
  return wish ? wish[0].toUpperCase() + wish.slice(1) : "For you";
}

/* The records of items, those not seen before in one request. */
function recordsOf(items) {
  const ids = items.map((item) => item.item_id), unseen = ids.filter((id) => !state.items.has(id));
  const nothing = { title: "", attributes: {} };
  if (unseen.length) {
    const asked = call(`v1/items?${unseen.map((id) => `id=${encodeURIComponent(id)}`).join("&")}`)
      .then((answer) => answer.json())
      .then((found) => new Map(found.items.map((record) => [record.item_id, record])));
    for (const id of unseen) {
      state.items.set(id, asked.then((records) => records.get(id) || nothing, () => {
        state.items.delete(id);
        return nothing;
      }));
    }
  }
  return Promise.all(ids.map((id) => state.items.get(id)));
}

function showCards(items, records) {
  const cards = items.map((item, place) => cardOf(item, records[place]));
  if (!cards.length) cards.push(element("li", "Nothing fits all of this.", "nothing"));
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
  // What it costs and weighs comes first, and what it is or isn't.
  const isPlain = ([, value]) => typeof value === "number" || typeof value === "boolean";
  const ordered = Object.entries(others).sort((a, b) => isPlain(b) - isPlain(a));
  for (const fact of ordered.flatMap(factsOf)) {
    if (!facts.has(fact.toLowerCase())) facts.set(fact.toLowerCase(), fact);
  }
  part("facts").textContent = [...facts.values()].slice(0, MAX_FACTS).join(" · ");
  part("text").textContent = (record.text || "").slice(0, MAX_TEXT);
  part("why").textContent = item.explanation || "";
  part("title").addEventListener("click", () => showItem(item, record));
  wireActs(card, item.item_id, item.title || item.item_id);
  return card;
}

/* The buttons of a card, or of an item's own view: like, reject, more like this. */
function wireActs(card, itemId, title) {
  const taken = state.taken.get(itemId);
  for (const type of ["like", "reject"]) {
    const button = card.querySelector(`.${type}`);
    button.setAttribute("aria-label", `${button.textContent.trim()}: ${title}`);
    button.setAttribute("aria-pressed", String(Boolean(taken && taken.type === type)));
    button.addEventListener("click", () => take(itemId, title, type, card));
  }
  const alike = card.querySelector(".alike");
  alike.setAttribute("aria-label", `More like ${title}`);
  alike.addEventListener("click", () => {
    by("item").close();
    showAlike(itemId, title);
  });
}

function factsOf([name, value]) {
  if (Array.isArray(value)) return value;
  if (typeof value === "boolean") return value ? [spoken(name)] : [];
  if (typeof value === "number") return [measured(name, value)];
  return value && value.length > 2 ? [value] : [];
}

const spoken = (name) => name.replaceAll("_", " ");

/* An amount with the unit that its attribute's name ends in: "weight 690 g". */
const UNIT = /^(.+)[_ ](g|kg|mg|lb|oz|ml|cl|l|mm|cm|m|km|in|ft|min|minutes|hours|h|s|eur|usd|gbp|chf)$/i;
function measured(name, amount) {
  const [, of, unit] = UNIT.exec(name) || [];
  return of ? `${spoken(of)} ${amount} ${unit}` : `${spoken(name)} ${amount}`;
}

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
  const undo = button("Undo", "small", () => {
    undo.remove();
    if (state.taken.has(itemId)) take(itemId, title, state.taken.get(itemId).type, card);
  });
  undo.setAttribute("aria-label", `Undo: ${title}`);
  return undo;
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
    const records = await recordsOf(items);
    if (turn !== state.asked) return;
    document.body.classList.remove("waiting");
    by("heading").textContent = heading;
    by("status").textContent = "";
    by("limits").replaceChildren(backChip());
    showCards(items, records);
    by("further").hidden = by("trace").hidden = by("compare").hidden = true;
    document.querySelector(".found").scrollTop = 0;
  } catch (error) {
    if (turn === state.asked) by("status").textContent = error.message;
  }
}

function backChip() {
  const entry = element("li");
  entry.append(button("‹ Back to the list", "back", back));
  return entry;
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
  const raised = ((found.trace && found.trace.moved) || []).filter((of) => of.to_rank && (!of.from_rank || of.to_rank < of.from_rank));
  by("about").textContent = [`reranking: ${found.rerank.status}`,
    raised.length && `moved up for variety: ${raised.length}`, found.version && `artifact ${found.version}`,
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

