"""A real HTTP server that ranks and embeds, and can be slow, wrong, truncated or rude.

Its `mode` is what it does, or the bytes that it answers, or a function of the right answer.
"""

from __future__ import annotations

import json
import re
import threading
import time
from base64 import b64encode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from semrec.encoders.hashing import HashingEncoder

DIM = 64  # of the vectors


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append((self.path, dict(self.headers), body, self.client_address))
        mode = self.server.mode
        match mode:
            case "slow":
                self.server.leave.wait(20)
            case "drip":
                self._head(200, 10_000)
                self._drip(b" ")
            case "drip head":
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                self._drip(b"x")
            case "truncated":
                answer = self._answer(body)
                self._head(200, len(answer) + 100)
                self.wfile.write(answer)
                self.close_connection = True
            case "error":
                self._send(500, b'{"error": "secret-key was refused"}')
            case "redirect":
                self._head(302, 0, location="/elsewhere")
            case "hang up":
                self.close_connection = True
            case "right":
                self._send(200, self._answer(body))
            case bytes():
                self._send(200, mode)
            case _:
                status, answer = mode(body, json.loads(self._answer(body)))
                self._send(status, json.dumps(answer).encode())

    def _answer(self, body):
        """Ranks by the words that a text shares with the request, and embeds by them."""
        if "input" in body:
            vectors = HashingEncoder(dim=DIM).encode_items(body["input"])
            packs = body.get("encoding_format") == "base64" and self.server.packs
            rows = [b64encode(v.tobytes()).decode() if packs else v.tolist() for v in vectors]
            data = [{"index": at, "embedding": row} for at, row in enumerate(rows)]
            return json.dumps({"object": "list", "data": data}).encode()
        if documents := body.get("documents") or body.get("texts") or body.get("text_2"):
            asked = set((body.get("query") or body["text_1"]).lower().split())
            scores = [len(asked & set(text.lower().split())) for text in documents]
            name = "relevance_score" if "documents" in body else "score"
            results = [{"index": place, name: score} for place, score in enumerate(scores)]
            whole = {"results": results} if "documents" in body else {"data": results}
            return json.dumps(results if "texts" in body else whole).encode()
        prompt = body["messages"][0]["content"]
        request, listed = re.search(r"Request: ?(.*?) ?Candidates: (.*) Answer", prompt).groups()
        texts = re.findall(r"\[(\d+)\] ([^\[]*)", listed)
        asked = set(request.lower().split())
        best = sorted(texts, key=lambda one: -len(asked & set(one[1].lower().split())))
        content = " > ".join(f"[{number}]" for number, _ in best)
        return json.dumps({"choices": [{"message": {"content": content}}]}).encode()

    def _send(self, status, answer):
        self._head(status, len(answer))
        try:
            self.wfile.write(answer)
        except OSError:
            self.close_connection = True

    def _head(self, status, length, **headers):
        self.send_response(status)
        self.send_header("content-length", str(length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _drip(self, byte):
        try:
            while not self.server.leave.is_set():
                self.wfile.write(byte)
                time.sleep(0.02)
        except OSError:
            pass
        self.close_connection = True

    def log_message(self, *_):
        pass


@contextmanager
def serving(port=0):
    """A server; set its `mode`, look at what was `asked`."""
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True  # one may still wait for a client that keeps its connection
    server.mode, server.asked, server.leave = "right", [], threading.Event()
    server.handle_error = lambda *_: None  # clients hang up: that is what is tried
    server.packs = True  # vectors in base64, if that is asked for
    server.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.leave.set()
        server.shutdown()
        server.server_close()
        thread.join()
