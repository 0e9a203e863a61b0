"use strict";
/* Earlier conversations of this browser, the newest first: to go on with, or to forget. */

const MAX_OPENING = 80;

function earlier() {
  return keptSessions().map((session) => ({ session, ...keptLog(session) }))
    .map(({ session, entries = [], at = 0 }) => ({ session, at, opening: entries.find(([who]) => who === "you") }))
    .filter(({ opening }) => opening)
    .sort((one, other) => other.at - one.at);
}

function showEarlier() {
  const entries = earlier().map(entryOf);
  by("earlier-list").replaceChildren(...entries);
  by("earlier-none").hidden = entries.length > 0;
  if (!by("earlier").open) by("earlier").showModal();
}

function entryOf({ session, opening: [, text], at }) {
  const entry = element("li"), opening = text.length > MAX_OPENING ? `${text.slice(0, MAX_OPENING)}…` : text;
  const when = at ? new Date(at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }) : "";
  const open = button(opening, "", () => {
    by("earlier").close();
    goTo(`#${session}`);
    resume(session);
  });
  if (session === state.session) open.setAttribute("aria-current", "true");
  const away = button("Forget", "small", () => forgetConversation(session, entry));
  away.setAttribute("aria-label", `Forget: ${opening}`);
  entry.append(open, element("span", when, "year"), away);
  return entry;
}

/* Here and at the service: its words, its likes, its lines in the log. */
async function forgetConversation(session, entry) {
  try {
    await call(`v1/sessions/${session}`, undefined, "DELETE");
    localStorage.removeItem(logKey(session));
    entry.remove();
    by("earlier-none").hidden = by("earlier-list").children.length > 0;
    by("earlier-title").focus();
    if (session === state.session) start();
  } catch (error) {
    entry.append(element("p", `Not forgotten: ${error.message}`, "hint"));
  }
}

by("past").addEventListener("click", showEarlier);
by("earlier-close").addEventListener("click", () => by("earlier").close());
by("earlier").addEventListener("click", (event) => {
  if (event.target === by("earlier")) by("earlier").close();  // beside it
});
