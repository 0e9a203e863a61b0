"use strict";
/* One item in a view of its own: all that its record says, why it stands in the list, what goes with it. */

const MAX_ALIKE = 6;

async function showItem(item, record) {
  const title = item.title || item.item_id, { year, ...others } = record.attributes || {};
  const acts = by("card").content.querySelector(".acts").cloneNode(true);
  by("item-title").replaceChildren(title, " ", element("span", year ?? "", "year"));
  by("item-why").textContent = item.explanation || "";
  by("item-text").textContent = record.text || "";
  by("item-facts").replaceChildren(...Object.entries(others).flatMap(describedOf));
  by("item-acts").replaceChildren(acts);
  wireActs(acts, item.item_id, title);
  by("item-alike").replaceChildren();
  by("item").dataset.shown = item.item_id;
  if (!by("item").open) by("item").showModal();
  by("item").scrollTop = 0;
  by("item-title").focus();
  await showAlikeHere(item.item_id);
}

function describedOf([name, value]) {
  const values = Array.isArray(value) ? value : [typeof value === "boolean" ? (value ? "yes" : "no") : value];
  if (!values.length || values[0] === null || values[0] === "") return [];
  const [, of, unit] = (typeof value === "number" && UNIT.exec(name)) || [];
  return [element("dt", spoken(of || name)), element("dd", unit ? `${value} ${unit}` : values.join(", "))];
}

async function showAlikeHere(itemId) {
  const answer = await call(`v1/items/${encodeURIComponent(itemId)}/similar?k=${MAX_ALIKE}`).catch(() => null);
  const alike = answer ? (await answer.json()).items : [];
  const records = await recordsOf(alike);
  if (by("item").dataset.shown !== itemId) return;
  by("item-alike").replaceChildren(...alike.map((other, place) => {
    const entry = element("li"), { year } = records[place].attributes || {};
    entry.append(button(other.title || other.item_id, "", () => showItem(other, records[place])));
    if (year) entry.append(" ", element("span", year, "year"));
    return entry;
  }));
}

by("item-close").addEventListener("click", () => by("item").close());
by("item").addEventListener("click", (event) => {
  if (event.target === by("item")) by("item").close();  // beside it
});
