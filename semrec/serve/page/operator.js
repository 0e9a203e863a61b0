"use strict";
/* The operator's corner: what was served, how long it took, what drifts. The key is kept nowhere. */

async function showServed() {
  const key = by("admin-key").value;
  by("served").replaceChildren();
  by("operator-status").textContent = "…";
  try {
    const served = await (await call("admin/served", undefined, "GET", key)).json();
    const drift = await (await call("admin/drift", undefined, "GET", key)).json();
    by("operator-status").textContent =
      `${served.lists} lists in ${served.hours} hours, to ${served.sessions} conversations`;
    by("served").replaceChildren(
      table("How long answers took", ["Endpoint", "Answers", "p50 ms", "p99 ms"],
        served.endpoints.map((of) => [of.endpoint, of.answers, of.p50_ms, of.p99_ms])),
      table("What was served most", ["Title", "Lists"],
        served.items.map((item) => [item.title || item.item_id, item.lists])),
      ...driftTables(drift),
    );
  } catch (error) {
    by("operator-status").textContent = error.message;
  }
}

function driftTables(drift) {
  if (!drift.reference) return [element("p", "Drift isn't watched: the artifact was built before it could be.")];
  const interval = ([mean, low, high]) => `${mean.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
  const tables = [];
  if (drift.alarms.length)
    tables.push(table("What drifts", ["Signal", "Since", "Drift", "Such as"],
      drift.alarms.map((of) => [of.signal, of.since.slice(0, 16), of.drift, of.examples.join(" · ")])));
  else if (Object.keys(drift.drift).length) tables.push(element("p", "Nothing drifts."));
  else tables.push(element("p", "The last full hour has too few sessions to say what drifts."));
  if (drift.quality.length)
    tables.push(table("Served lists by their sessions' next events (observational)",
      ["Day", "Version", "Lists", "hit@10", "MRR@10"],
      drift.quality.map((of) => [of.day, of.version, of.lists, interval(of.hit), interval(of.mrr)])));
  return tables;
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
