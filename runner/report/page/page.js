"use strict";
// The page is complete without this: the script opens a cell, with details from files beside the page. Those call moqCells and moqTexts, since
// a page from a file system may load scripts, but no data. Everything that comes from a run is set as text, never as markup.
(() => {
  const index = JSON.parse(document.getElementById("index").textContent);
  const dialog = document.getElementById("cell");
  const said = document.getElementById("said");
  document.documentElement.classList.add("js");

  // Control characters, and marks that turn the direction of text around, are shown as what they are: not text.
  const plain = (s) => s.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");

  // el makes an element: attributes first, then texts and elements; what is null or "" is left out.
  const el = (tag, attrs, ...inside) => {
    const e = document.createElement(tag);
    for (const [k, v] of Object.entries(attrs || {})) {
      if (v === null || v === undefined || v === false) continue;
      if (k === "on") e.addEventListener("click", v);
      else e.setAttribute(k, v === true ? "" : v);
    }
    e.append(...inside.flat(3).filter((x) => x !== null && x !== undefined && x !== "").map((x) => (x instanceof Node ? x : plain(String(x)))));
    return e;
  };

  const mark = (status) => index.marks[status] || { class: "e", symbol: "!", word: String(status) };
  const classOf = (status, layer, known) =>
    mark(status).class + (status === "fail" ? (index.layers[layer] || 0) + (known ? " x" : "") : "");
  const bad = (status) => !["pass", "todo", "skip", "too-slow", "not-applicable", "stale"].includes(status);

  // The address has what is shown: a cell, and behind ? the draft, the transport, filters and the order of a table.
  const wanted = ["draft", "transport", "relay", "client", "layer", "case", "rule", "sort"];
  const state = {};
  const read = () => {
    const [path, query] = location.hash.replace(/^#/, "").split("?");
    const p = new URLSearchParams(query || "");
    for (const k of wanted) state[k] = p.get(k) || "";
    return path.split("/");
  };
  const address = (id) => {
    const p = new URLSearchParams(wanted.filter((k) => state[k]).map((k) => [k, state[k]]));
    const hash = (id ? "cell/" + id.split("/").map(encodeURIComponent).join("/") : "") + (p.size ? "?" + p : "");
    return hash ? "#" + hash : location.pathname + location.search;
  };
  const set = (changes) => {
    Object.assign(state, changes);
    window.history.replaceState(window.history.state, "", address(""));
    apply();
  };

  // load gives what a file beside the page hands to a function; each file is loaded once.
  const waiting = new Map(), loaded = new Map();
  const load = (file) => {
    if (!loaded.has(file)) {
      loaded.set(file, new Promise((resolve, reject) => {
        waiting.set(file, resolve);
        const s = el("script", { src: index.data + "/" + file });
        s.onerror = () => { loaded.delete(file); reject(new Error("cannot read " + index.data + "/" + file)); };
        s.onload = () => s.remove();
        document.head.append(s);
      }));
    }
    return loaded.get(file);
  };
  const arrived = (file, value) => { const f = waiting.get(file); waiting.delete(file); if (f) f(value); };
  window.moqCells = (key, value) => arrived(key + ".js", value);
  window.moqTexts = (key, value) => arrived(key + ".text.js", value);

  // placeOf tells what a place in a matrix is: client and relay, and in the matrix of one draft also that.
  const placeOf = (td) => {
    const section = td.closest(".mx"), d = +section.dataset.d, t = +section.dataset.t;
    const tr = td.parentElement, column = td.cellIndex - 1;
    const p = { client: tr.sectionRowIndex, draft: d ? index.drafts[d - 1] : "", transport: t ? index.transports[t - 1] : "" };
    if (d) Object.assign(p, index.columns[t - 1][column]); else p.relay = column;
    return p;
  };
  const isSlot = (td) => td && td.matches && td.matches(".g td[class]:not(.sumc)");

  // several tells whether the relay of a place has more than one endpoint beside each other.
  const several = (p) => p.draft && index.columns[index.transports.indexOf(p.transport)].filter((c) => c.relay === p.relay).length > 1;

  const describe = (td) => {
    const p = placeOf(td), m = Object.values(index.marks).find((m) => td.classList.contains(m.class));
    const failed = /(^| )f\d/.test(td.className), layer = td.querySelector("b"), count = td.querySelector("i");
    const what = failed ? "fail" : m ? m.word : "";
    const change = td.classList.contains("b") ? ", broken since the run before" : td.classList.contains("u") ? ", fixed since the run before" : "";
    return index.clients[p.client] + " → " + index.relays[p.relay] + (several(p) ? " (" + p.endpoint + ")" : "") +
      (p.draft ? " · " + p.draft : "") + (p.transport ? " · " + p.transport : "") + ": " + what + (layer ? " in " + layer.textContent : "") +
      (count ? ", " + count.textContent.replace("/", " of ") + (p.draft ? " cases" : " cells") + " pass" : "") +
      (td.textContent.includes("°") ? ", draft only predicted" : "") + change;
  };

  // The matrix takes one stop of the tab key; arrows, Home and End move in it, Enter and space open.
  const step = (td, key) => {
    const rows = [...td.closest("tbody").rows], r = rows.indexOf(td.parentElement), c = td.cellIndex;
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[key];
    if (move) {
      for (let y = r + move[0], x = c + move[1]; rows[y] && rows[y].cells[x]; y += move[0], x += move[1]) {
        if (isSlot(rows[y].cells[x])) return rows[y].cells[x];
      }
      return null;
    }
    const own = [...td.parentElement.cells].filter(isSlot);
    return key === "Home" ? own[0] : key === "End" ? own[own.length - 1] : null;
  };
  for (const table of document.querySelectorAll(".matrix .g")) {
    const first = table.querySelector("td[class]:not(.sumc)");
    if (first) first.tabIndex = 0;
  }
  const matrix = document.querySelector(".matrix");
  matrix.addEventListener("keydown", (e) => {
    if (!isSlot(e.target)) return;
    if (e.key === "Enter" || e.key === " ") { e.preventDefault(); openPlace(e.target); return; }
    const next = step(e.target, e.key);
    if (next) {
      e.preventDefault();
      e.target.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
      next.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  });
  const tell = (e) => {
    const td = e.target.closest && e.target.closest("td");
    if (!isSlot(td)) return;
    const text = plain(describe(td));
    if (e.type === "focusin") { td.setAttribute("aria-label", text); td.setAttribute("role", "button"); }
    said.textContent = text;
  };
  matrix.addEventListener("focusin", tell);
  matrix.addEventListener("mouseover", tell);
  matrix.addEventListener("click", (e) => {
    const td = e.target.closest("td");
    if (isSlot(td)) openPlace(td);
  });

  // Filters hide rows and columns; they are there only with scripts, and so are made here.
  const lists = () => document.querySelectorAll("#failures tbody tr, #rules tbody tr, #cases tbody tr");
  const has = (list, one) => !one || (list || "").split(" ").includes(one);
  const cases = [...document.querySelectorAll("#cases tbody tr, #failures tbody tr")].flatMap((r) => (r.dataset.case || "").split(" "));
  const rules = [...document.querySelectorAll("#rules tbody tr")].map((r) => r.dataset.rule);
  const choices = { relay: index.relays, client: index.clients, layer: Object.keys(index.layers), case: [...new Set(cases)].filter(Boolean).sort(), rule: rules };
  const selects = {};
  const bar = el("div", { class: "filters" }, Object.entries(choices).filter(([, list]) => list.length > 1).map(([k, list]) => {
    const s = el("select", { "aria-label": k }, el("option", { value: "" }, "every " + k), list.map((v) => el("option", { value: v }, v)));
    s.addEventListener("change", () => set({ [k]: s.value }));
    selects[k] = s;
    return s;
  }), el("button", { on: () => set({ relay: "", client: "", layer: "", case: "", rule: "", sort: "" }) }, "Show all"));
  document.querySelector(".pick").append(bar);
  const apply = () => {
    for (const [k, s] of Object.entries(selects)) s.value = choices[k].includes(state[k]) ? state[k] : "";
    const d = index.drafts.indexOf(state.draft) + 1, t = index.transports.indexOf(state.transport) + 1;
    for (const id of ["d" + d, "t" + t]) { const e = document.getElementById(id); if (e) e.checked = true; }
    for (const table of document.querySelectorAll(".g:not(#cases)")) {
      const section = table.closest(".mx"), columns = +section.dataset.d ? index.columns[section.dataset.t - 1].map((c) => c.relay) : index.relays.map((_, i) => i);
      hideColumns(table, columns);
      [...table.tBodies[0].rows].forEach((tr, i) => {
        if (i < index.clients.length) tr.hidden = !!state.client && index.clients[i] !== state.client;
        for (const td of tr.cells) td.classList.toggle("dim", !!state.layer && isSlot(td) && !layerIs(td));
      });
    }
    const byCase = document.getElementById("cases");
    if (byCase) hideColumns(byCase, index.relays.map((_, i) => i));
    const client = state.client && String(index.clients.indexOf(state.client));
    for (const tr of lists()) {
      const x = tr.dataset;
      tr.hidden = !((tr.closest("#cases") || has(x.relay, state.relay)) && has(x.case, state.case) && (!x.rule || has(x.rule, state.rule)) &&
        (!("client" in x) || has(x.client, client)) && (!("layer" in x) || has(x.layer, state.layer)));
    }
    for (const d of document.querySelectorAll(".fold")) if (state.case || state.rule) d.open = true;
    sortTables();
  };
  const hideColumns = (table, columns) => {
    for (const tr of table.rows) columns.forEach((r, i) => { const td = tr.cells[i + 1]; if (td) td.hidden = !!state.relay && index.relays[r] !== state.relay; });
  };
  const shorts = { http3: "h3", webtransport: "wt", request: "req" };
  const layerIs = (td) => { const b = td.querySelector("b"); return !!b && b.textContent === (shorts[state.layer] || state.layer); };
  for (const input of document.querySelectorAll(".pick input")) {
    input.addEventListener("change", () => {
      const n = +input.id.slice(1);
      set(input.id[0] === "d" ? { draft: n ? index.drafts[n - 1] : "" } : { transport: n ? index.transports[n - 1] : "" });
    });
  }

  // A click on a heading sorts a list by it, another one the other way round.
  for (const table of document.querySelectorAll(".list[id]")) {
    [...table.tHead.rows[0].cells].forEach((th, i) => {
      const text = th.textContent;
      th.replaceChildren(el("button", { class: "sort", on: () => set({ sort: table.id + "." + i + (state.sort === table.id + "." + i ? ".down" : "") }) }, text));
    });
    [...table.tBodies[0].rows].forEach((tr, i) => { tr.dataset.at = i; });
  }
  const sortTables = () => {
    const [id, column, down] = state.sort.split(".");
    for (const table of document.querySelectorAll(".list[id]")) {
      const mine = table.id === id, rows = [...table.tBodies[0].rows], way = down ? -1 : 1;
      const key = (tr) => (mine ? tr.cells[+column].textContent : tr.dataset.at);
      rows.sort((a, b) => (mine ? way : 1) * key(a).localeCompare(key(b), undefined, { numeric: true }));
      table.tBodies[0].append(...rows);
      [...table.tHead.rows[0].cells].forEach((th, i) => {
        if (mine && i === +column) th.setAttribute("aria-sort", down ? "descending" : "ascending"); else th.removeAttribute("aria-sort");
      });
    }
  };

  const order = ["fail", "error", "flaky", "down", "missing", "stale", "todo", "too-slow", "skip", "pass", "not-applicable"];
  const worst = (cells) => cells.slice().sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status))[0];

  const openPlace = (td) => {
    const p = placeOf(td);
    td.tabIndex = 0;
    pairOf(p.client, p.relay).then((data) => {
      const here = data.cells.filter((c, i) =>
        (!p.draft || data.drafts[i] === p.draft) && (!p.transport || c.transport === p.transport) && (p.endpoint === undefined || c.endpoint === p.endpoint));
      show(data, worst(here));
    }, complain);
  };

  const pairOf = (client, relay) => load(client + "-" + relay + ".js").then((data) => {
    if (data.run !== index.run) throw new Error("the details belong to another run, " + data.run);
    data.key = client + "-" + relay;
    return data;
  });

  const complain = (error) => {
    dialog.replaceChildren(head("No details", String(error.message || error)), el("div", { class: "db" }, el("p", null, "They are in files beside the page. Were the files moved, or is the report still being written?")));
    if (!dialog.open) dialog.showModal();
    delete dialog.dataset.cell;
    opened = location.hash;
  };

  const head = (title, sub) => el("div", { class: "dh" },
    el("div", null, el("h2", { id: "cell-title" }, title), el("p", { class: "dim" }, sub)),
    el("button", { on: () => dialog.close(), "aria-label": "Close", autofocus: true }, "✕"));

  const facts = (list, cls) => {
    const rows = list.filter(([, v]) => v !== undefined && v !== null && v !== "" && !(Array.isArray(v) && !v.length));
    return rows.length ? el("dl", { class: "facts " + (cls || "") }, rows.map(([k, v]) => el("div", null, el("dt", null, k), el("dd", null, Array.isArray(v) ? v.join("\n") : String(v))))) : null;
  };
  const roles = (list) => (list || []).map((r) => r.role + " " + r.draft).join(", ");
  const ms = (n) => (n >= 10000 ? (n / 1000).toFixed(1) + " s" : n + " ms");

  const caseRow = (k) => {
    const m = mark(k.status);
    // A message that is made of what was expected and what came stands there in full below: one line of it is enough, and none while that is open.
    const told = k.expected && k.received && (k.message || "").includes(k.expected) && k.message.includes(k.received);
    const line = [
      el("span", { class: "chip " + classOf(k.status, k.layer, k.known) }, m.symbol + (k.layer ? " " + k.layer : ""), el("span", { class: "vh" }, " " + m.word)),
      el("b", null, k.name), el("span", { class: "ms" }, ms(k.duration_ms)), el("span", { class: told ? "told" : null }, k.status === "pass" ? "" : k.message || k.reason || m.word),
    ];
    const files = (k.files || []).map((f) => [fileLink(f, f.endsWith(".svg") ? "sequence diagram" : f.endsWith("_server.mlog") ? "relay's mlog" : "client's qlog"), " "]);
    const more = facts([["expected", k.expected], ["received", k.received], ["message", k.status === "pass" ? k.message : ""], ["reason", k.message ? k.reason : ""],
      ["rule", [k.level, k.sections].filter(Boolean).join(" ")], ["drafts", roles(k.drafts)], ["attempts", k.attempts > 1 ? k.attempts : ""],
      ["expected to fail", k.known], ["tolerated", k.tolerated], ["notes", k.notes]]);
    if (more && files.length && index.has_files) more.append(el("div", null, el("dt", null, "see"), el("dd", null, files)));
    if (more && k.command) more.append(el("div", null, el("dt", null, "repeat"), el("dd", { class: "cmd" }, el("pre", null, k.command))));
    return more ? el("details", { open: bad(k.status) }, el("summary", null, line), more) : el("div", { class: "plain" }, line);
  };

  // fileLink leads to a file in the run's folder.
  const fileLink = (name, text) => el("a", { href: index.files + name.split("/").map(encodeURIComponent).join("/"), target: "_blank", rel: "noopener" }, text || name);

  const pips = (data, current) => {
    const ways = [...new Map(data.cells.map((c) => [c.transport + " " + c.endpoint, c])).values()];
    const endpoints = new Set(ways.map((c) => c.endpoint)).size > new Set(ways.map((c) => c.transport)).size;
    const drafts = index.drafts.filter((d) => data.drafts.includes(d));
    return el("table", { class: "pips" },
      el("thead", null, el("tr", null, el("td"), drafts.map((d) => el("th", { scope: "col" }, d.replace("draft-", ""))))),
      el("tbody", null, ways.map((w) => el("tr", null, el("th", { scope: "row" }, w.transport + (endpoints ? " · " + w.endpoint : "")), drafts.map((d) => {
        const c = data.cells.find((c, i) => data.drafts[i] === d && c.transport === w.transport && c.endpoint === w.endpoint);
        if (!c) return el("td");
        const m = mark(c.status);
        return el("td", null, el("button", { class: "pip " + classOf(c.status, c.layer), "aria-current": c === current ? "true" : null,
          "aria-label": d + " " + w.transport + " " + m.word, on: () => show(data, c) }, m.symbol + (c.status === "fail" && c.layer ? " " + c.layer : "")));
      })))));
  };

  const history = (data, c) => {
    const codes = (data.history || {})[c.id];
    if (!codes || codes.length < 2) return null;
    const from = Math.max(0, codes.length - 40);
    return [el("h3", null, "This cell over the runs"), el("div", { class: "hist" }, [...codes].slice(from).map((code, i) => {
      const status = Object.keys(index.marks).find((s) => index.marks[s].class === code);
      const name = index.runs[from + i] + ": " + (status ? mark(status).word : "not in this run");
      return el("span", { class: "pip " + (status ? code : "none"), title: name, role: "img", "aria-label": name }, status ? mark(status).symbol : "·");
    }))];
  };

  const command = (text) => {
    if (!text) return null;
    const done = el("span", { class: "dim", role: "status" });
    const copy = el("button", { on: () => navigator.clipboard.writeText(text).then(() => { done.textContent = "copied"; }, () => { done.textContent = "select it to copy"; }) }, "Copy");
    return [el("h3", null, "Repeat it"), el("div", { class: "cmd" }, el("pre", null, text), navigator.clipboard ? copy : null), done];
  };

  // texts opens what the client wrote when it is asked for.
  const links = (c) => {
    const f = c.status === "stale" || !index.has_files ? {} : c.files || {};
    const all = [["TAP", f.tap], ...(f.retries || []).map((r) => ["TAP of the repetition", r]), ["transcript", f.transcript], ["stderr", f.stderr],
      ["qlog", f.qlog && f.qlog + "/"], ["relay's mlog", f.mlog && f.mlog + "/"], ["relay's log", f.relay_log]].filter(([, name]) => name);
    return all.length ? el("p", { class: "links" }, all.map(([text, name]) => [fileLink(name, text), " "])) : null;
  };
  const texts = (data, c) => {
    const files = c.status === "stale" ? {} : c.files || {};
    const want = [["Transcript", files.transcript && "transcript"], ["TAP", files.tap && "tap"], ["TAP of the repetitions", files.retries && "retries"], ["stderr", files.stderr && "stderr"]].filter(([, key]) => key);
    return want.map(([title, key]) => {
      const d = el("details", null, el("summary", null, title));
      d.addEventListener("toggle", () => {
        if (!d.open || d.dataset.full) return;
        d.dataset.full = "yes";
        load(data.key + ".text.js").then((all) => {
          const t = (all[c.id] || {})[key], lost = (all[c.id] || {}).lost;
          const list = t ? (Array.isArray(t) ? t : [t]) : [];
          d.append(...list.map((x) => el("pre", null, x)));
          if (!list.length) d.append(el("p", { class: "dim" }, lost ? lost.join("\n") : "empty"));
        }, (error) => { delete d.dataset.full; d.append(el("p", { class: "dim" }, error.message)); });
      });
      return d;
    });
  };

  // rerunButton asks the server to run the cell again. What comes of it stands beside the result, and changes it not.
  const rerunButton = (c) => {
    if (!index.live || !index.live.rerun) return null;
    const told = el("span", { class: "again", role: "status" }, reruns.has(c.id) ? came(reruns.get(c.id)) : "");
    return el("p", null, el("button", { class: "rerun", on: () => {
      told.replaceChildren("running again …");
      fetch("rerun", { method: "POST", body: c.id }).then(async (r) => { if (!r.ok) told.replaceChildren(plain(await r.text())); }, (e) => told.replaceChildren(plain(String(e))));
    } }, "Run again"), " ", told);
  };

  const show = (data, c) => {
    const m = mark(c.status), label = c.label || {}, cases = (c.cases || []).slice();
    const was = c.status === "stale" ? mark((data.was || {})[c.id]).word : "";
    cases.sort((a, b) => (bad(b.status) ? 1 : 0) - (bad(a.status) ? 1 : 0));
    const below = cases.some((k) => bad(k.status) && (k.message || k.reason) && c.reason === k.name + ": " + (k.message || k.reason)); // the first case says it too
    const applies = cases.filter((k) => k.status !== "not-applicable").length, passed = cases.filter((k) => k.status === "pass").length;
    const draft = label.draft ? label.draft + (label.source === "negotiated" ? " (negotiated)" : " (predicted: the client did not report it)") : "draft unknown";
    dialog.replaceChildren(
      head(c.client + " → " + c.relay, [c.endpoint, c.draft || "any draft", c.transport, c.mode].join(" · ")),
      el("div", { class: "db" },
        el("p", null, el("span", { class: "chip " + classOf(c.status, c.layer) }, m.symbol + " " + m.word), c.layer ? " in " + c.layer : "",
          was ? ": " + was + " in " + c.stale_from : "", " · " + draft, applies ? " · " + passed + " of " + applies + " cases pass" : "", c.reason && !below ? [el("br"), c.reason] : ""),
        label.conflict && label.conflict !== c.reason ? el("p", { class: "warn" }, "The client's report contradicts the draft: " + label.conflict) : null,
        el("div", { class: "wide" }, pips(data, c)),
        cases.length ? [el("h3", null, "Cases"), el("div", { class: "cases" }, cases.map(caseRow))] : null,
        command(c.command), rerunButton(c),
        el("h3", null, "What the client wrote"), texts(data, c).length ? texts(data, c) : el("p", { class: "dim" }, "Nothing was kept."), links(c),
        history(data, c), el("h3", null, "About this cell"),
        facts([["client", c.client_version], ["relay", c.relay_version], ["source", index.repositories && index.repositories[c.relay]], ["draft", draft], ["by role", roles(label.roles)], ["address", c.url], ["target", c.classification],
          ["started", c.started], ["took", c.attempts ? ms(c.duration_ms) : ""], ["attempts", c.attempts > 1 ? c.attempts : ""], ["exit code", c.exit_code], ["expected", c.known],
          ["qlog", (c.files || {}).qlog], ["notes", c.notes]], "top")));
    dialog.dataset.cell = c.id;
    const first = !dialog.open;
    if (first) dialog.showModal();
    dialog.scrollTop = 0;
    if (leaving !== null) return; // the address follows
    const hash = address(c.id);
    if (location.hash !== hash) {
      // Back closes what a click opened; what a link opened has its own entry already.
      if (first && !location.hash.startsWith("#cell/")) window.history.pushState({ cell: true }, "", hash);
      else window.history.replaceState(window.history.state, "", hash);
    }
    opened = location.hash;
  };
  let opened = ""; // the hash of what the dialog shows
  // Going back takes a moment, and would undo what is chosen meanwhile. leaving is "" then, or a link to a cell that was
  // followed; null is any other time.
  let leaving = null;
  document.addEventListener("click", (e) => {
    const link = leaving === null ? null : e.target.closest("a[href^='#cell/']");
    if (!link) return;
    e.preventDefault();
    leaving = link.getAttribute("href");
  });
  window.addEventListener("popstate", () => {
    if (leaving === null) return;
    const next = leaving;
    leaving = null;
    if (next) location.hash = next;
    else if (!dialog.open) window.history.replaceState(window.history.state, "", address(""));
    else {
      window.history.pushState({ cell: true }, "", address(dialog.dataset.cell));
      opened = location.hash;
    }
  });

  // The event comes some time after the closing: a link that was followed in between has put its own hash there, or opened its cell.
  dialog.addEventListener("close", () => {
    if (dialog.open || leaving !== null) return;
    delete dialog.dataset.cell;
    if (location.hash !== opened || !opened) return;
    if (window.history.state && window.history.state.cell) {
      leaving = "";
      window.history.back();
    } else window.history.replaceState(null, "", address(""));
  });
  dialog.addEventListener("click", (e) => { if (e.target === dialog) dialog.close(); });

  // A link to a cell: #cell/client/relay/endpoint/draft/transport.
  const follow = () => {
    const parts = read();
    apply();
    if (parts.shift() !== "cell") {
      opened = "";
      if (dialog.open) dialog.close();
      return;
    }
    let names;
    try { names = parts.map(decodeURIComponent); } catch { return; }
    const id = names.join("/"), [from, to] = id.split("/");
    const client = index.clients.indexOf(from), relay = index.relays.indexOf(to);
    if (dialog.dataset.cell === id) return;
    const all = client < 0 || relay < 0 ? Promise.reject(new Error("no such cell: " + id)) : pairOf(client, relay);
    all.then((data) => {
      const c = data.cells.find((c) => c.id === id);
      if (!c) throw new Error("no such cell: " + id);
      show(data, c);
    }).catch(complain);
  };
  window.addEventListener("hashchange", follow);

  // While the run goes on, cells come from the server. The page that is loaded again has the rest: counts, failures, details.
  const slotOf = (id) => {
    const [client, relay, endpoint, draft, transport] = id.split("/");
    const d = index.drafts.indexOf(draft), t = index.transports.indexOf(transport);
    if (d < 0 || t < 0) return null;
    const column = index.columns[t].findIndex((c) => index.relays[c.relay] === relay && c.endpoint === endpoint);
    const table = document.querySelector(".mx.d" + (d + 1) + ".t" + (t + 1) + " .g"), row = index.clients.indexOf(client);
    return table && column >= 0 && row >= 0 ? table.tBodies[0].rows[row].cells[column + 1] : null;
  };
  const fill = (c) => {
    const td = slotOf(c.id), m = mark(c.status);
    if (!td) return;
    td.className = classOf(c.status, c.layer, c.known) + " fresh";
    const short = shorts[c.layer] || c.layer;
    td.replaceChildren(m.symbol, ...(c.status === "fail" && c.layer ? [el("b", null, short)] : []), ...(c.of && c.pass < c.of ? [el("i", null, c.pass + "/" + c.of)] : []));
  };
  const live = index.live;
  if (live && window.EventSource) {
    const line = el("p", { class: "live", role: "status" }, live.ended ? "" : "live");
    document.querySelector("header").append(line);
    let stale = false;
    const renew = () => { if (stale && !dialog.open && !document.hidden) location.reload(); };
    let source;
    const connect = (after) => {
      let seq = after;
      source = new EventSource("events?after=" + after);
      source.addEventListener("cell", (e) => {
        const c = JSON.parse(e.data);
        if (c.seq <= seq) return;
        seq = c.seq;
        fill(c);
        stale = true;
        line.textContent = plain("live: " + c.seq + " of " + c.total + " cells; last " + c.id + ": " + mark(c.status).word);
      });
      source.addEventListener("note", (e) => { line.textContent = plain(JSON.parse(e.data).text); });
      source.addEventListener("rerun", (e) => again(JSON.parse(e.data)));
      source.addEventListener("end", (e) => {
        if (live.ended) return;
        line.textContent = plain("the run is over: " + JSON.parse(e.data).summary);
        stale = true;
        setTimeout(renew, 500);
      });
    };
    connect(live.seq);
    if (!live.ended) setInterval(renew, 15000);
    dialog.addEventListener("close", () => setTimeout(renew, 500));
    window.addEventListener("pagehide", () => source.close());
  }
  const reruns = new Map(); // what came of each cell that was run again
  const again = (r) => {
    reruns.set(r.id, r);
    if (dialog.dataset.cell === r.id) { const p = dialog.querySelector(".again"); if (p) p.replaceChildren(...came(r)); }
  };
  const came = (r) => (r.error ? ["it could not be run again: " + plain(r.error)] : [
    el("span", { class: "chip " + classOf(r.status, r.layer) }, mark(r.status).symbol + " " + mark(r.status).word), plain(" this time" + (r.of ? ", " + r.pass + " of " + r.of + " cases pass" : "") + (r.reason ? ": " + r.reason : "") + " "),
    el("a", { href: r.folder + "/", target: "_blank", rel: "noopener" }, "its files")]);
  follow();
})();
