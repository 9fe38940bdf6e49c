"use strict";
// What somebody does on the page; the test adds this script to it. It reports what the page then shows.
(async () => {
  const at = (id) => document.getElementById(id);
  const seen = {};
  const until = async (what, condition) => {
    for (let i = 0; i < 1200 && !condition(); i++) await new Promise((r) => setTimeout(r, 50));
    if (!condition()) throw new Error("it never came to this: " + what + "; the page says: " + at("said").textContent);
  };
  const said = () => at("said").textContent;
  const pick = (id, value) => {
    at(id).value = value;
    at(id).dispatchEvent(new Event("change", { bubbles: true }));
  };
  const go = async (values, over) => {
    for (const [id, value] of Object.entries(values)) at(id).value = value;
    at("inputs").dispatchEvent(new Event("input"));
    at("run").click();
    await until("an end", () => !at("run").disabled && (over || said() !== "Running…"));
    return said();
  };
  try {
    await until("ready", () => !at("run").disabled);
    seen.ready = said();
    seen.moqt = await go({ relay: "moqt://127.0.0.1:1" });
    seen.hash = await go({ relay: "https://127.0.0.1:1/", hash: "abc" });
    seen.unknown = await go({ relay: "embedded", hash: "", cases: "no-such-case" });
    seen.nobody = await go({ relay: "https://127.0.0.1:1/", cases: "setup-only", token: "secret" });
    seen.trouble = at("trouble").hidden ? "" : at("native").textContent;
    seen.link = at("link").getAttribute("href");
    at("relay").value = "embedded";
    pick("fault", "goaway-closes-session");
    pick("fault", "subscribe-error-zero");
    pick("fault", "subscribe-error-zero");
    pick("quirk", "answers-late");
    at("faults").firstElementChild.click();
    seen.chosen = at("faults").innerText + at("quirks").innerText;
    seen.faults = at("link").getAttribute("href");
    seen.fault = await go({ cases: "setup-only,subscribe-error", token: "" });
    seen.rows = [...document.querySelectorAll("tbody tr")].map((r) => r.querySelector("th").firstChild.data + ": " + r.querySelector("td").className);
    seen.same = at("same").textContent;
    seen.totals = at("totals").textContent;
    const blob = URL.createObjectURL;
    URL.createObjectURL = (b) => { b.text().then((text) => { seen[b.type] = text; }); return blob(b); };
    at("tap").click();
    await until("TAP", () => seen["text/plain"]);
    at("json").click();
    await until("JSON", () => seen["application/json"]);
    document.querySelector("td.fail button").click();
    await until("a diagram", () => document.querySelector("#picture img"));
    seen.detail = at("dbody").innerText;
    seen.picture = document.querySelector("#picture img").src.slice(0, 40);
    at("dclose").click();
    for (const [id, value] of [["suite", "all"], ["cases", ""]]) at(id).value = value;
    for (const id of ["faults", "quirks"]) at(id).firstElementChild.click();
    at("run").click();
    await until("a first verdict", () => document.querySelector("td.pass"));
    at("stop").click();
    await until("a stop", () => !at("run").disabled);
    seen.stopped = said();
    at("hex").value = "15 00 01 05";
    at("decodedraft").value = "16";
    at("explain").click();
    await until("an explanation", () => at("decoded").children.length > 0);
    seen.decoded = at("decoded").innerText;
    at("hex").value = "1x";
    at("explain").click();
    await until("an error", () => at("decoded").querySelector(".error"));
    seen.bad = at("decoded").innerText;
  } catch (e) {
    seen.error = String(e.message || e);
  }
  await fetch("report", { method: "POST", body: JSON.stringify(seen) });
})();
