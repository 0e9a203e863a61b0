"use strict";
/* Elements, ids, and the way to the service: what the other scripts stand on. */

const by = (id) => document.getElementById(id);

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

function button(text, className, act) {
  const made = element("button", text, className);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

/* Talking to the service */

async function call(path, body, method = body === undefined ? "GET" : "POST", key = state.key) {
  const headers = { "content-type": "application/json" };
  if (key) headers.authorization = `Bearer ${key}`;
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Error("the service doesn’t answer just now");
  }
  if (answer.ok) return answer;
  if (answer.status === 401 && key === state.key) {
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
