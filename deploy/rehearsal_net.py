"""@moq/net in a page of Chromium, as publisher and subscriber of the rehearsal.

rehearsal_net.py page PORT SCRIPT                                     the page, until it is killed; SCRIPT is net.js, bundled
rehearsal_net.py send PORT PROGRAM URL DRAFT NAMESPACE TRACK          publishes the lines of stdin, an object each
rehearsal_net.py receive PORT PROGRAM URL DRAFT NAMESPACE TRACK       prints the objects, a line each
"""

import collections
import contextlib
import http.server
import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request

PAGES = pathlib.Path(__file__).parent.parent / "internal" / "browser" / "testdata"


class Page(http.server.BaseHTTPRequestHandler):
    """Serves the page, hands it the jobs, and hands its reports to who gave the job."""

    jobs = queue.Queue()
    reports = collections.defaultdict(queue.Queue)
    script = b""

    def do_GET(self) -> None:
        if self.path == "/":
            self.answer(PAGES.joinpath("net.html").read_bytes(), "text/html")
        elif self.path == "/net.js":
            self.answer(self.script, "text/javascript")
        elif self.path == "/job":
            self.next(self.jobs)
        elif self.path.startswith("/reports/"):
            self.next(self.reports[self.path.removeprefix("/reports/")])
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/report":
            self.reports[message["id"]].put(message)
        else:
            self.jobs.put(message)
        self.answer(b"", "text/plain")

    def next(self, of: queue.Queue) -> None:
        """Answers with what comes next, or with nothing after a while."""
        try:
            self.answer(json.dumps(of.get(timeout=10)).encode(), "application/json")
        except queue.Empty:
            self.send_response(204)
            self.end_headers()

    def answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        """Serves one connection. Who gave a job may end without waiting for the answer."""
        with contextlib.suppress(ConnectionError):
            super().handle()

    def log_message(self, *_) -> None:
        """Says nothing."""


def page(port: str, script: str) -> None:
    Page.script = pathlib.Path(script).read_bytes()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Page)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
                 "--disable-component-update", "--disable-sync", "--remote-debugging-port=0"]
        browser = subprocess.Popen(["chromium", *flags, "--user-data-dir=" + profile, f"http://127.0.0.1:{port}/"],
                                   stderr=subprocess.DEVNULL)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        try:
            server.serve_forever()
        finally:
            browser.terminate()
            browser.wait()


def call(port: str, path: str, message: dict | None = None) -> dict | None:
    body = None if message is None else json.dumps(message).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", body) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def listen(port: str, job: str) -> None:
    """Prints the objects that the page reports, until the job is over."""
    while True:
        report = call(port, "/reports/" + job)
        match report and report["event"]:
            case "object":
                print(report["text"], flush=True)
            case "over":
                return
            case "closed" | "error":
                print(f"error: the page says: {report['event']}: {report['text']}", file=sys.stderr, flush=True)
                os._exit(1)


def work(do: str, port: str, program: str, url: str, draft: str, namespace: str, track: str) -> None:
    job = f"{do}-{os.getpid()}"
    # A browser accepts a certificate that nobody signed by its hash.
    probe = subprocess.run([program, "probe", url, "--json", "--tls-disable-verify", "--draft", draft],
                           capture_output=True, text=True, check=True)
    prefix, _, name = namespace.rpartition("/")
    call(port, "/do", {
        "id": job, "do": do, "url": url, "prefix": prefix, "name": name, "track": track,
        "hash": json.loads(probe.stdout)["endpoints"][0]["certificates"][0]["sha256"],
        "protocol": "" if draft == "14" else f"moqt-{draft}",  # 14 has none
    })
    listener = threading.Thread(target=listen, args=(port, job), daemon=True)
    listener.start()
    if do == "send":
        for line in sys.stdin:
            call(port, "/do", {"id": job, "do": "step", "text": line.rstrip("\n")})
        call(port, "/do", {"id": job, "do": "step"})
    listener.join()


if sys.argv[1] == "page":
    page(*sys.argv[2:])
else:
    work(*sys.argv[1:])
