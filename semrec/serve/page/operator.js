"use strict";
/* The operator's corner: what was served, to how many, how long it took. The key is kept nowhere. */

async function showServed() {
  const key = by("admin-key").value;
  by("served").replaceChildren();
  by("operator-status").textContent = "…";
  try {
    const served = await (await call("admin/served", undefined, "GET", key)).json();
    by("operator-status").textContent =
      `${served.lists} lists in ${served.hours} hours, to ${served.sessions} conversations`;
    by("served").replaceChildren(
      table("How long answers took", ["Endpoint", "Answers", "p50 ms", "p99 ms"],
        served.endpoints.map((of) => [of.endpoint, of.answers, of.p50_ms, of.p99_ms])),
      table("What was served most", ["Title", "Lists"],
        served.items.map((item) => [item.title || item.item_id, item.lists])),
    );
  } catch (error) {
    by("operator-status").textContent = error.message;
  }
}

function table(caption, names, rows) {
  const made = element("table"), head = made.createTHead().insertRow(), body = made.createTBody();
  made.prepend(element("caption", caption));
  for (const name of names) {
    const cell = element("th", name);
    cell.scope = "col";
    head.append(cell);
  }
  for (const row of rows) body.insertRow().append(...row.map((value) => element("td", value)));
  return made;
}

by("operator").addEventListener("submit", (event) => {
  event.preventDefault();
  showServed();
});
