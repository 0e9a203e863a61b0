"use strict";
/* The weight was moved: text alone, the fused list and behaviour alone, side by side. */

async function showCompared(found, turn) {
  by("compare").hidden = by("weight-auto").checked;
  if (by("compare").hidden) return;
  const { intent, filters, exclude } = found.understood;
  const alone = (weight) => call("v1/recommend", {
    intent, filters, exclude, session_id: state.session, k: PAGE, semantic_weight: weight,
  }).then((answer) => answer.json());
  try {
    const [text, behaviour] = (await Promise.all([alone(1), alone(0)])).map((list) => list.items);
    if (turn !== state.asked) return;
    const fused = found.items.slice(0, PAGE), in_fused = ranks(fused);
    const from = [["text", ranks(text)], ["behaviour", ranks(behaviour)]];
    const alsoIn = (item) => (in_fused.has(item.item_id) ? `fused ${in_fused.get(item.item_id)}` : "");
    const cameFrom = (item) => from.filter(([, of]) => of.has(item.item_id))
      .map(([name, of]) => `${name} ${of.get(item.item_id)}`).join(" · ");
    by("compare").replaceChildren(
      column("Text alone", text, alsoIn),
      column(`Fused, ${by("weight-shown").textContent}`, fused, cameFrom),
      column("Behaviour alone", behaviour, alsoIn),
    );
  } catch (error) {
    by("compare").replaceChildren(element("p", `Not compared: ${error.message}`, "hint"));
  }
}

const ranks = (items) => new Map(items.map((item) => [item.item_id, item.rank]));

function column(heading, items, note) {
  const made = element("div"), list = element("ol");
  list.append(...items.map((item) => {
    const entry = element("li", item.title || item.item_id);
    entry.append(element("small", note(item)));
    return entry;
  }));
  made.append(element("h3", heading), list);
  return made;
}
