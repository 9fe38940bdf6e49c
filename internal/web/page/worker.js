"use strict";
// The program runs here, so that the page stays quick. Commands come as messages, and wait until it has started.
importScripts("wasm_exec.js");
const waiting = [];
let memory;
const tell = (event, data) => self.postMessage(JSON.stringify({ event, data }));
self.onmessage = (e) => {
  if (e.data === "memory") tell("memory", memory ? memory.buffer.byteLength : 0);
  else if (self.moqCommand) self.moqCommand(e.data);
  else waiting.push(e.data);
};
(async () => {
  try {
    const go = new Go();
    const answer = await fetch("app.wasm.gz");
    if (!answer.ok) throw new Error("app.wasm.gz: " + answer.status);
    const plain = answer.body.pipeThrough(new DecompressionStream("gzip"));
    const program = await WebAssembly.instantiateStreaming(
      new Response(plain, { headers: { "Content-Type": "application/wasm" } }), go.importObject);
    memory = program.instance.exports.mem;
    const over = go.run(program.instance);
    for (const command of waiting) self.moqCommand(command);
    await over;
    throw new Error("it has ended; its last words are in the console");
  } catch (e) {
    tell("dead", String(e.message || e));
  }
})();
