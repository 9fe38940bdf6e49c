"use strict";
// A browser without WebTransport: the test puts this script before the page's. It reports what the page then says.
delete window.WebTransport;
addEventListener("DOMContentLoaded", async () => {
  const at = (id) => document.getElementById(id);
  const seen = {};
  const run = async (values) => {
    for (const [id, value] of Object.entries(values)) at(id).value = value;
    at("inputs").dispatchEvent(new Event("input"));
    at("run").click();
    for (let i = 0; i < 1200 && at("run").disabled; i++) await new Promise((r) => setTimeout(r, 50));
    return at("said").textContent;
  };
  for (let i = 0; i < 1200 && at("run").disabled; i++) await new Promise((r) => setTimeout(r, 50));
  seen.ready = at("said").textContent;
  seen.remote = await run({ relay: "https://127.0.0.1:1/", cases: "setup-only" });
  seen.trouble = !at("trouble").hidden;
  seen.embedded = await run({ relay: "embedded" });
  await fetch("report", { method: "POST", body: JSON.stringify(seen) });
});
