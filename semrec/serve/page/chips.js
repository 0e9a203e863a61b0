"use strict";
/* What holds now, as chips that can be taken away; where nothing is left, what it helps to drop. */

const MAX_EVENTS_SHOWN = 6, MAX_VALUES = 5;

async function showLimits(understood) {
  const chips = (understood.wishes || []).map((wish, place, wishes) => chip(wish, "wish", () => {
    say(`Without “${wish}”`, "act");
    ask("", { wishes: wishes.filter((_, other) => other !== place) });
  }));
  for (const [text, dropped] of limitsOf(understood.filters || {})) {
    chips.push(chip(text, "limit", () => drop(understood, text, dropped)));
  }
  for (const phrase of understood.not_understood || []) {
    chips.push(chip(`can’t check: ${phrase}`, "limit", () => ask("", {
      not_understood: understood.not_understood.filter((other) => other !== phrase),
    })));
  }
  const last = new Map((understood.session || []).map((event) => [event.item_id, event]));
  const events = [...last.values()].slice(-MAX_EVENTS_SHOWN), records = await recordsOf(events);
  events.forEach(({ item_id: itemId, type }, place) => {
    const { title } = records[place];
    const sign = { like: "♥", purchase: "♥", reject: "not", view: "in mind:" }[type] || type;
    if (title) chips.push(chip(`${sign} ${title}`, "event", () => forget(itemId, title)));
  });
  by("limits").replaceChildren(...chips);
}

/* Text → the (attribute, operators) behind it: "no Horror" of two attributes is one chip. */
function limitsOf(filters) {
  const limits = new Map(), texts = new Map();
  for (const [name, condition] of Object.entries(filters)) {
    for (const [operators, text] of phrasesOf(name, operatorsOf(condition))) {
      const same = texts.get(text.toLowerCase()) || text;
      texts.set(same.toLowerCase(), same);
      limits.set(same, [...(limits.get(same) || []), [name, operators]]);
    }
  }
  return limits;
}

function operatorsOf(condition) {
  return condition !== null && typeof condition === "object" ? condition : { any: [condition] };
}

function drop(understood, text, dropped) {
  const filters = { ...understood.filters };
  for (const [name, operators] of dropped) {
    const left = Object.entries(operatorsOf(filters[name])).filter(([key]) => !operators.includes(key));
    if (left.length) filters[name] = Object.fromEntries(left); else delete filters[name];
  }
  say(`Without “${text}”`, "act");
  return ask("", { filters });
}

/* All that was said or done about an item is taken back. */
async function forget(itemId, title) {
  try {
    const kept = await (await call(`v1/sessions/${state.session}`)).json();
    for (const event of kept.events.filter((event) => event.item_id === itemId && event.event_id)) {
      await call(`v1/sessions/${state.session}/events/${encodeURIComponent(event.event_id)}`, undefined, "DELETE");
    }
    state.taken.delete(itemId);
    say(`Taken back: ${title}`, "act");
    await ask("");
  } catch (error) {
    say(`That wasn’t taken back: ${error.message}`, "it trouble");
  }
}

/* Ways out of an empty list, the one with most items first. */
function showWays(found) {
  const { understood } = found, filters = understood.filters || {}, ways = element("div", "", "ways");
  const offer = (text, act) => ways.append(button(text, "back", act));
  for (const way of found.relaxations.sort((one, other) => other.n_items - one.n_items)) {
    const condition = operatorsOf(filters[way.attribute]);
    const [[, text]] = phrasesOf(way.attribute, { [way.operator]: condition[way.operator] });
    offer(`Without “${text}”: ${counted(way.n_items)}`,
      () => drop(understood, text, [[way.attribute, [way.operator]]]));
  }
  if (!ways.children.length && Object.keys(filters).length) {
    offer("Without any limit", () => {
      say("Without any limit", "act");
      ask("", { filters: {} });
    });
  }
  const n_passed = (understood.exclude || []).length;
  if (n_passed) offer(`Again those passed over: ${counted(n_passed)}`, () => ask("", { exclude: [] }));
  if (!ways.children.length) offer("Start over", start);
  by("list").firstElementChild.append(ways);
}

function phrasesOf(name, of) {
  const list = (values, joint) => {
    if (values.length > 4 && values.every(Number.isInteger)) return `${Math.min(...values)}–${Math.max(...values)}`;
    const more = values.length > MAX_VALUES ? ` and ${values.length - MAX_VALUES} more` : "";
    return values.slice(0, MAX_VALUES).join(joint) + more;
  };
  const phrases = [];
  const truth = [...(of.any || []), ...(of.none || [])];
  if (truth.length === 1 && typeof truth[0] === "boolean") {
    return [[[of.any ? "any" : "none"], `${truth[0] === Boolean(of.any) ? "" : "not "}${spoken(name)}`]];
  }
  if (of.none) phrases.push([["none"], `no ${list(of.none, ", ")}`]);
  if (of.any) phrases.push([["any"], `only ${list(of.any, " or ")}`]);
  if (of.all) phrases.push([["all"], `only ${list(of.all, " and ")}`]);
  const low = of.gte ?? of.gt, high = of.lte ?? of.lt;
  const bounds = ["gt", "gte", "lt", "lte"];
  const least = of.gte === undefined ? "over " : "", most = of.lte === undefined ? "under " : "";
  if (low !== undefined && low === high) phrases.push([bounds, measured(name, low)]);
  else if (low !== undefined && high !== undefined) phrases.push([bounds, measured(name, `${least}${low} – ${most}${high}`)]);
  else if (low !== undefined) phrases.push([bounds, measured(name, `${least || "from "}${low}`)]);
  else if (high !== undefined) phrases.push([bounds, measured(name, `${most || "up to "}${high}`)]);
  return phrases;
}

function chip(text, kind, remove) {
  const made = element("li", "", `chip ${kind}`), away = button("×", "", remove);
  away.setAttribute("aria-label", `Take away: ${text}`);
  made.append(element("span", text), away);
  return made;
}
