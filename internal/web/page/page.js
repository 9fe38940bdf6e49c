"use strict";
const $ = (id) => document.getElementById(id);
const make = (name, props, ...children) => {
  const e = Object.assign(document.createElement(name), props);
  e.append(...children);
  return e;
};
const marks = { pass: "✓ ok", fail: "✗ not ok", todo: "△ SHOULD", skip: "– skip", "not-applicable": "· n/a" };
const began = performance.now();
let known = null; // what can be chosen
let run = null; // the run that the table shows
let job = null; // set when a program drives this page, see ask
let open = null; // the result that the dialog shows
const chosen = { fault: [], quirk: [] }; // of the embedded relay
const able = typeof WebTransport === "function";
const unable = "This browser has no WebTransport, or not for this page, which must be https:// or on localhost: " +
  "it can test the embedded relay alone.";

const worker = new Worker("worker.js");
const command = (c) => worker.postMessage(JSON.stringify(c));
worker.onmessage = (e) => {
  const since = performance.now();
  const { event, data } = JSON.parse(e.data);
  if (takes[event]) takes[event](data);
  if (run) run.task = Math.max(run.task, performance.now() - since);
};
window.onerror = (why) => report({ error: "the page: " + why });
worker.onerror = (e) => takes.dead(e.message || "the worker does not start");

// takes are the events of the program.
const takes = {
  ready(data) {
    known = data;
    $("version").textContent = data.version;
    for (const d of data.drafts) {
      const box = make("input", { type: "checkbox", name: "draft", value: String(d), checked: d === 18 });
      $("drafts").append(make("label", {}, box, String(d)));
      $("decodedraft").append(make("option", { value: String(d), textContent: String(d), selected: d === 18 }));
    }
    for (const s of data.suites) $("suite").append(make("option", { value: s, textContent: s }));
    for (const c of data.cases) $("names").append(make("option", { value: c.name }));
    for (const t of data.tolerances) $("tolerances").append(make("option", { value: t }));
    for (const id of ["fault", "quirk"])
      for (const c of data[id + "s"]) $(id).append(make("option", { value: c.name, textContent: c.name + ": " + c.text }));
    restore();
    changed();
    $("run").disabled = $("explain").disabled = false;
    say(able ? "Ready." : unable, !able);
    ask();
  },
  began(table) {
    run.table = table;
    run.total = table.cases.length * table.offers.length;
    draw();
  },
  case({ column, case: name, result }) {
    const cell = run.cells.get(name + " " + column);
    if (!cell) return;
    if (!result) return void cell.classList.add("runs");
    if (!run.first) run.first = performance.now() - run.began;
    run.done++;
    cell.className = result.status;
    const button = make("button", { type: "button", textContent: marks[result.status] || result.status });
    button.setAttribute("aria-label", `${name}, ${run.table.offers[column].join(", ")}: ${result.status}`);
    button.onclick = () => show(name, column, result);
    cell.replaceChildren(button);
    progress();
    if (result.status === "fail" && result.layer === "webtransport" && !(result.sessions || []).some((s) => s.established))
      trouble(column);
  },
  column(c) {
    run.columns[c.column] = c;
    $("totals").textContent = run.columns.map((x, i) => `${run.table.offers[i].join(", ")}: ${x.totals}` +
      (x.bailOut ? `; ended early: ${x.bailOut}` : "")).join("\n");
    $("tap").disabled = $("json").disabled = false;
    for (const cell of run.cells.values()) cell.classList.remove("runs");
  },
  done() {
    const bad = run.columns.some((c) => c.exit === 1);
    const early = run.columns.map((c) => c.bailOut).find(Boolean);
    say(`${run.stopped ? "Stopped" : "Done"} after ${((performance.now() - run.began) / 1000).toFixed(1)} s: ` +
      (early ? "it ended early: " + early : bad ? "not everything is as the drafts have it." : "nothing failed."), bad);
    idle();
  },
  failed(why) {
    say(why, true);
    idle(why);
  },
  dead(why) {
    say("The program does not run: " + why, true);
    $("run").disabled = $("stop").disabled = $("explain").disabled = true;
    report({ error: "the page's program does not run: " + why });
  },
  decoded({ lines, error }) {
    $("decoded").replaceChildren(...lines.map((l) => make("pre", { textContent: JSON.stringify(JSON.parse(l), null, 2) })));
    if (error) $("decoded").append(make("p", { className: "error", textContent: error }));
  },
  diagram({ id, svg }) {
    if (!open || open !== id || !svg) return;
    $("picture").replaceChildren(make("img", { src: "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg),
      alt: "Sequence diagram of the transcript" }));
    $("picture").previousElementSibling.hidden = false;
  },
  memory(bytes) {
    run.memory = bytes;
    command({ do: "documents" });
  },
  documents(all) {
    if (save.kind) return save(all);
    report({ error: job.why, columns: all, first: run.first, ready: run.began - began, frame: run.frame, task: run.task,
      memory: run.memory, agent: navigator.userAgent });
  },
};

function say(text, bad) {
  $("said").textContent = text;
  $("said").classList.toggle("bad", !!bad);
}

function progress() {
  $("progress").setAttribute("aria-valuenow", run.done);
  $("progress").firstElementChild.style.transform = `scaleX(${run.done / run.total})`;
}

// inputs are what the form has, as names and texts. The token is not among them.
function inputs() {
  const out = {};
  for (const id of ["relay", "hash", "suite", "cases", "prefix", "compat", "factor", "jobs"])
    out[id] = $(id).value.trim();
  for (const [id, names] of Object.entries(chosen)) out[id] = names.join(",");
  out.strict = $("strict").checked ? "1" : "";
  out.draft = [...document.querySelectorAll("[name=draft]:checked")].map((e) => e.value).join(",");
  return out;
}

const usual = { relay: "embedded", suite: "standard", factor: "1", jobs: "4", draft: "18" };

// choose says which faults, or quirks, the embedded relay has. Each is a button that takes it away.
function choose(id, names) {
  chosen[id] = [...new Set(names)];
  $(id + "s").replaceChildren(...chosen[id].map((name) => {
    const button = make("button", { type: "button", textContent: name + " ✕" });
    button.setAttribute("aria-label", `without the ${id} ${name}`);
    button.onclick = () => { choose(id, chosen[id].filter((n) => n !== name)); changed(); $(id).focus(); };
    return button;
  }));
}

// restore fills the form from the link's fragment.
function restore() {
  const names = inputs();
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    if (name === "draft") for (const e of document.querySelectorAll("[name=draft]")) e.checked = value.split(",").includes(e.value);
    else if (name === "strict") $("strict").checked = value === "1";
    else if (name in chosen) choose(name, list(value));
    else if (name in names) $(name).value = value;
  }
}

function changed() {
  const i = inputs();
  for (const e of document.querySelectorAll(".local")) e.hidden = i.relay !== "embedded";
  for (const e of document.querySelectorAll(".remote")) e.hidden = i.relay === "embedded";
  const fragment = new URLSearchParams();
  for (const [name, value] of Object.entries(i)) if (value && value !== usual[name]) fragment.set(name, value);
  $("link").href = "#" + fragment;
}

const list = (text) => text.split(",").map((x) => x.trim()).filter(Boolean);
const shell = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : "'" + word.replaceAll("'", "'\\''") + "'");
const numbers = (offer) => offer.map((d) => d.replace("draft-", "")).join(",");

// target is the relay as the command line names it.
function target(i) {
  if (i.relay !== "embedded") return i.relay;
  const query = new URLSearchParams();
  for (const id of Object.keys(chosen)) for (const name of list(i[id])) query.append(id, name);
  return "embedded" + (String(query) ? "?" + query : "");
}

// line is the command that does the same without a browser.
function line(i, draft) {
  const words = ["moq-interop-client", "-r", target(i), "-d", draft];
  if (i.cases) words.push("-t", list(i.cases).join(","));
  if (i.suite !== "standard") words.push("--suite", i.suite);
  if (i.prefix) words.push("--namespace-prefix", i.prefix);
  if (i.compat) words.push("--compat", list(i.compat).join(","));
  if (i.factor !== "1") words.push("--timeout-factor", i.factor);
  if (i.strict) words.push("--strict");
  if (i.jobs > 1) words.push("-j", i.jobs);
  if (i.relay !== "embedded" && i.hash) words.push("--tls-disable-verify");
  return words.map(shell).join(" ");
}

function start(order, i) {
  run = { began: performance.now(), cells: new Map(), columns: [], done: 0, total: 0, frame: 0, task: 0, inputs: i };
  $("trouble").hidden = $("results").hidden = true;
  $("run").disabled = true;
  $("stop").disabled = false;
  say("Running…");
  watch(run);
  command({ do: "run", browser: navigator.userAgent, ...order });
}

// byForm starts what the form says.
function byForm() {
  const i = inputs();
  if (!able && i.relay !== "embedded") return say(unable, true);
  start({ relay: target(i), hashes: i.hash && i.relay !== "embedded" ? list(i.hash) : [], suite: i.suite, cases: list(i.cases),
    offers: list(i.draft).map((d) => [Number(d)]), namespacePrefix: i.prefix, token: $("token").value,
    compat: list(i.compat), factor: Number(i.factor), strict: !!i.strict, jobs: Number(i.jobs) }, i);
}

function idle(why) {
  $("run").disabled = !known;
  $("stop").disabled = true;
  if (!job) return;
  job.why = why;
  worker.postMessage("memory");
}

function draw() {
  const { cases, offers } = run.table;
  $("table").tHead.replaceChildren(make("tr", {}, make("th", { scope: "col", textContent: "case" }),
    ...offers.map((o) => make("th", { scope: "col", textContent: numbers(o) }))));
  $("table").tBodies[0].replaceChildren(...cases.map((c) => {
    const row = make("tr", {}, make("th", { scope: "row", title: c.text }, c.name, make("small", { textContent: c.text })));
    offers.forEach((_, i) => {
      const cell = make("td");
      run.cells.set(c.name + " " + i, cell);
      row.append(cell);
    });
    return row;
  }));
  $("progress").setAttribute("aria-valuemax", run.total);
  progress();
  $("totals").textContent = "";
  $("tap").disabled = $("json").disabled = true;
  $("same").textContent = run.inputs ? offers.map((o) => line(run.inputs, numbers(o))).join("; ") : "";
  $("results").hidden = false;
}

function trouble(column) {
  if (!$("trouble").hidden || !run.inputs || run.inputs.relay === "embedded") return;
  $("native").textContent = line({ ...run.inputs, jobs: 1, suite: "standard", cases: "setup-only" },
    numbers(run.table.offers[column]));
  $("trouble").hidden = false;
}

// show opens a result.
function show(name, column, r) {
  open = name + " " + column;
  $("dtitle").textContent = `${name}: ${r.status}`;
  $("dsub").textContent = (run.table.cases.find((c) => c.name === name) || {}).text || "";
  const facts = [];
  const fact = (key, value) => { if (value) facts.push(make("dt", { textContent: key }), make("dd", { textContent: value })); };
  fact("expected", r.expected);
  fact("received", r.received);
  fact("message", r.expected && r.received ? "" : r.message);
  fact("reason", r.reason);
  fact("layer", r.layer);
  fact("rules", (r.rules || []).join(", "));
  fact("sections", r.sections);
  fact("level", r.level);
  fact("took", r.duration_ms + " ms");
  for (const s of r.sessions || [])
    fact("session", [s.role, s.moqt_version, s.transport, s.webtransport_protocol, s.peer_implementation,
      s.established ? "" : "not set up"].filter(Boolean).join(", "));
  for (const n of r.notes || []) fact("note", n);
  if (r.tolerated) fact("tolerated", r.tolerated.join(", "));
  if (run.inputs) fact("again", line({ ...run.inputs, suite: "standard", cases: name, jobs: 1 }, numbers(run.table.offers[column])));
  const body = [make("dl", {}, ...facts)];
  if (r.transcript) {
    body.push(make("h3", { textContent: "Diagram", hidden: true }), make("div", { className: "picture", id: "picture" }),
      make("h3", { textContent: "Transcript" }), make("pre", { textContent: r.transcript.join("\n"), tabIndex: 0 }));
    command({ do: "diagram", id: open, title: name, transcript: r.transcript, failure: r.status === "fail" ? r.message || "" : "" });
  }
  $("dbody").replaceChildren(...body);
  if (!$("detail").open) $("detail").showModal();
}

// save hands the documents of a kind, for which it has asked, to the person.
function save(all) {
  const kind = save.kind;
  save.kind = "";
  all.forEach((d, i) => {
    const url = URL.createObjectURL(new Blob([kind === "tap" ? d.tap : d.report],
      { type: kind === "tap" ? "text/plain" : "application/json" }));
    make("a", { href: url, download: `${run.table.offers[i].join("-")}.${kind}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  });
}

// watch measures the longest time between two frames, while the page is seen.
function watch(mine) {
  let last = 0;
  const frame = (now) => {
    if (last) mine.frame = Math.max(mine.frame, now - last);
    last = document.hidden ? 0 : now;
    if (run === mine && !$("stop").disabled) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

// ask: what drives this page (web --browser) serves an order beside it, and takes what came of it.
async function ask() {
  if (location.hash !== "#order") return;
  const answer = await fetch("order");
  if (!answer.ok) return say("Nobody drives this page: " + answer.status, true);
  job = {};
  start(await answer.json(), null);
}

function report(what) {
  if (location.hash === "#order") fetch("report", { method: "POST", body: JSON.stringify(what) });
}

$("inputs").onsubmit = (e) => { e.preventDefault(); byForm(); };
$("inputs").oninput = changed;
for (const id of Object.keys(chosen)) $(id).onchange = () => {
  if ($(id).value) choose(id, [...chosen[id], $(id).value]);
  $(id).value = "";
  changed();
};
$("stop").onclick = () => { run.stopped = true; command({ do: "stop" }); };
$("decoder").onsubmit = (e) => {
  e.preventDefault();
  command({ do: "decode", draft: Number($("decodedraft").value), stream: $("stream").value, hex: $("hex").value });
};
$("dclose").onclick = () => $("detail").close();
$("detail").onclose = () => { open = null; };
for (const kind of ["tap", "json"]) $(kind).onclick = () => { save.kind = kind; command({ do: "documents" }); };
window.onhashchange = () => { if (known) { restore(); changed(); } };
