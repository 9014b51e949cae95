"""I: Who is told of alerts, in threads of the test: a webhook and a mail server that misbehave as they are told."""

import queue
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HANG, DRIP, CLOSE = "hang", "drip", "close"


@dataclass
class Hook:
    """Answers with the next of `answers`: a status, headers with it, or a way to misbehave; then always 200."""

    answers: "queue.SimpleQueue[Any]" = field(default_factory=queue.SimpleQueue)
    received: "queue.SimpleQueue[tuple[str, dict[str, str], bytes]]" = field(
        default_factory=queue.SimpleQueue
    )
    over: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def then(self, *answers: Any) -> None:
        for each in answers:
            self.answers.put(each)


def _handler(hook: Hook) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            hook.received.put(
                (self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            )
            answer = 200 if hook.answers.empty() else hook.answers.get()
            if answer == HANG:
                hook.over.wait(60)
            elif answer == DRIP:
                self._drip()
            elif answer != CLOSE:
                status, fields = answer if isinstance(answer, tuple) else (answer, {})
                self.send_response(status)
                for name, value in {"content-length": "0", **fields}.items():
                    self.send_header(name, value)
                self.end_headers()
            self.close_connection = True

        do_GET = do_POST  # noqa: N815 - the library's name

        def _drip(self) -> None:
            """A head without an end, a byte at a time: no pause is long, and the whole takes for ever."""
            try:
                while not hook.over.wait(0.05):
                    self.wfile.write(b"H")
                    self.wfile.flush()
            except OSError:
                return

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    return Handler


@contextmanager
def webhook() -> Iterator[Hook]:
    """On a port of its own."""
    hook = Hook()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hook))
    server.daemon_threads = True
    hook.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hook
    finally:
        hook.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Mailbox:
    """What a mail server took. With `hangs`, it greets nobody; with `refuses`, it takes no recipient."""

    hangs: bool = False
    refuses: bool = False
    port: int = 0
    messages: "queue.SimpleQueue[tuple[list[str], str]]" = field(default_factory=queue.SimpleQueue)
    came: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)


def _mail_handler(box: Mailbox) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            box.came.set()
            if box.hangs:
                box.over.wait(60)
                return
            recipients: list[str] = []
            self._say("220 here")
            while line := self.rfile.readline().decode().strip():
                verb = line[:4].upper()
                if verb == "RCPT":
                    recipients.append(line[8:].strip("<> :"))
                    self._say("550 nobody of that name" if box.refuses else "250 yes")
                elif verb == "DATA":
                    self._say("354 go on")
                    lines = []
                    while (text := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                        lines.append(text)
                    box.messages.put((recipients, "\n".join(lines)))
                    self._say("250 taken")
                elif verb == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 yes")

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    return Handler


@contextmanager
def mail_server(box: Mailbox | None = None) -> Iterator[Mailbox]:
    """On a port of its own: SMTP, as far as somebody who sends one message needs it."""
    box = box or Mailbox()
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _mail_handler(box))
    server.daemon_threads = True
    box.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield box
    finally:
        box.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
