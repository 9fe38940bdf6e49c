// Publishes and subscribes with @moq/net. The page fetches its jobs one after the other and does them beside each other;
// each tells what happens by posting reports. A job that waits goes on at the next job `step` of its id, which may bring
// it a text. deploy/rehearsal_net.py gives it jobs, too.
import * as Moq from "@moq/net";

const steps = new Map(); // the job's id -> { due, resume }; due are the texts of the steps that have come

function step(id) {
  const s = steps.get(id) ?? { due: [] };
  steps.set(id, s);
  return s;
}

async function nextStep(id) {
  const s = step(id);
  if (s.due.length === 0) await new Promise(resolve => { s.resume = resolve; });
  return s.due.shift();
}

function report(id, event, more = {}) {
  return fetch("/report", { method: "POST", body: JSON.stringify({ id, event, ...more }) });
}

for (const level of ["warn", "error"]) {
  const print = console[level];
  console[level] = (...args) => { print(...args); report("console", level, { text: args.map(String).join(" ") }); };
}

// expected is the byte of an object that the test expects there.
function expected(group, object, i) {
  return 14 + (group * 7 + object * 31 + i) % 241;
}

function payload(group, object, size) {
  const b = new Uint8Array(size);
  for (let i = 0; i < size; i++) b[i] = expected(group, object, i);
  return b;
}

function intact(b, group, object) {
  return b.every((v, i) => v === expected(group, object, i));
}

async function publish(job, connection) {
  const broadcast = new Moq.Broadcast.Producer();
  // A job that is early has written before anybody asks. It leaves its groups open: Chromium's page crashes now and
  // then when the relay closes the session just after a stream has ended.
  let track = job.early ? broadcast.createTrack(job.track) : undefined;
  if (track) write(track, job.groups, true);
  connection.publish(Moq.Path.from(job.prefix, job.name), broadcast);
  if (!track) {
    track = (await broadcast.requested()).accept();
    // A subscription begins with the newest group of the moment at which it goes on after accept: after this turn.
    await new Promise(resolve => setTimeout(resolve));
    write(track, job.groups);
    if (job.ends) track.close();
    await report(job.id, "written");
  }
  await nextStep(job.id);
  if (!job.ends) track.close();
  broadcast.close();
  await nextStep(job.id);
}

function write(track, groups, open) {
  for (const sizes of groups) {
    const group = track.appendGroup();
    sizes.forEach((size, object) => group.writeFrame({
      payload: payload(group.sequence, object, size), timestamp: Moq.Time.Timestamp.now(),
    }));
    if (!open) group.close();
  }
}

async function subscribe(job, connection) {
  const announced = connection.announced(Moq.Path.from(job.prefix));
  await available(announced, job.name, true);
  await report(job.id, "announced");
  const track = connection.consume(Moq.Path.from(job.prefix, job.name)).track(job.track).subscribe();
  const objects = [];
  const failed = err => report(job.id, "error", { text: `reading: ${err}` });
  async function read(group) {
    for (let frame; (frame = await group.readFrameSequence());) {
      objects.push({
        group: group.sequence, object: frame.sequence, size: frame.payload.byteLength,
        intact: intact(frame.payload, group.sequence, frame.sequence),
      });
      if (objects.length === job.count) report(job.id, "complete");
    }
  }
  (async () => {
    for (let group; (group = await track.recvGroup());) read(group).catch(failed);
  })().catch(failed);
  await available(announced, job.name, false);
  await report(job.id, "withdrawn");
  await nextStep(job.id);
  await report(job.id, "objects", { objects });
}

// send publishes the text of each step as an object in a group of its own, until a step has none.
async function send(job, connection) {
  const broadcast = new Moq.Broadcast.Producer();
  connection.publish(Moq.Path.from(job.prefix, job.name), broadcast);
  const track = (await broadcast.requested()).accept();
  await new Promise(resolve => setTimeout(resolve)); // as in publish
  for (let text; (text = await nextStep(job.id)) !== undefined;) {
    const group = track.appendGroup();
    group.writeFrame({ payload: new TextEncoder().encode(text), timestamp: Moq.Time.Timestamp.now() });
    group.close();
  }
  track.close();
  broadcast.close();
}

// receive reports the payload of each object as a text.
async function receive(job, connection) {
  const announced = connection.announced(Moq.Path.from(job.prefix));
  await available(announced, job.name, true);
  const track = connection.consume(Moq.Path.from(job.prefix, job.name)).track(job.track).subscribe();
  async function read(group) {
    for (let frame; (frame = await group.readFrameSequence());)
      report(job.id, "object", { text: new TextDecoder().decode(frame.payload) });
  }
  const reading = [];
  for (let group; (group = await track.recvGroup());) reading.push(read(group));
  await Promise.all(reading);
}

const jobs = { publish, subscribe, send, receive };

async function available(announced, name, active) {
  for (let event; (event = await announced.next());) {
    if (event.path === name && event.active === active) return;
  }
  throw new Error(`the announcements ended before ${name} was ${active ? "there" : "gone"}`);
}

async function run(job) {
  const options = { serverCertificateHashes: [{
    algorithm: "sha-256", value: Uint8Array.from(job.hash.match(/../g), h => parseInt(h, 16)),
  }] };
  if (job.protocol) options.protocols = [job.protocol];
  const transport = new WebTransport(job.url, options);
  let over = false;
  transport.closed.then(
    ({ closeCode, reason }) => over || report(job.id, "closed", { text: `${closeCode} ${reason}` }),
    err => over || report(job.id, "closed", { text: String(err) }),
  );
  try {
    await transport.ready;
    const connection = await Moq.Connection.connect(new URL(job.url), { transport });
    await report(job.id, "connected", { text: connection.version });
    await jobs[job.do](job, connection);
    over = true;
    report(job.id, "over");
    connection.close();
  } catch (err) {
    over || report(job.id, "error", { text: `${job.do}: ${err}` });
  }
}

async function main() {
  await report("page", "open");
  for (;;) {
    const answer = await fetch("/job");
    if (answer.status !== 200) continue; // there is none yet
    const job = await answer.json();
    if (job.do === "step") {
      const s = step(job.id);
      s.due.push(job.text);
      s.resume?.();
    } else {
      run(job);
    }
  }
}
main();
