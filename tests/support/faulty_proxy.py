# SPDX-License-Identifier: Apache-2.0
"""A proxy in front of EC2's Query API that counts the actions, and does to some of them what clouds do to requests."""

import collections
import http.client
import http.server
import socket
import threading
import urllib.parse


def ec2_error(status, code, message="injected by the test"):
    return status, "text/xml", (f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
                                "<RequestID>injected</RequestID></Response>")


HTML_500 = (500, "text/html", "<html><body><h1>500 Internal Server Error</h1></body></html>")


class FaultyProxy:
    """`url` is where it listens, `counts` what it forwarded or answered, by action."""

    def __init__(self, target):
        self.target = urllib.parse.urlsplit(target).netloc
        self.counts = collections.Counter()
        self.seen = []  # forms, in order
        self.lock = threading.Lock()
        self.faults = collections.defaultdict(collections.deque)
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                proxy.serve(self)

            do_GET = do_PUT = do_PATCH = do_DELETE = do_POST

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass  # clients that hang up

        self.server = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def inject(self, action, fault, times=1):
        """The next `times` requests of `action`, dry runs left out, meet `fault`: (status, type, body); "lost" (carried out, the answer never
        comes); "dropped" (never arrives)."""
        with self.lock:
            self.faults[action].extend([fault] * times)

    def clear(self):
        with self.lock:
            self.faults.clear()

    def pending(self, action):
        with self.lock:
            return len(self.faults[action])

    def serve(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        form = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
        with self.lock:
            self.counts[form["Action"]] += 1
            self.seen.append(form)
            waiting = self.faults[form["Action"]] if "DryRun" not in form else ()
            fault = waiting.popleft() if waiting else None
        if fault == "dropped":
            return self.hang_up(handler)
        status, kind, answer = fault if isinstance(fault, tuple) else self.forward(handler, body)
        if fault == "lost":
            return self.hang_up(handler)
        answer = answer if isinstance(answer, bytes) else answer.encode()
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)

    @staticmethod
    def hang_up(handler):
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)

    def forward(self, handler, body):
        """With every header as it came, `Host` too: it is signed."""
        upstream = http.client.HTTPConnection(self.target, timeout=60)
        try:
            upstream.putrequest("POST", handler.path, skip_host=True, skip_accept_encoding=True)
            for name, value in handler.headers.items():
                if name.lower() != "connection":
                    upstream.putheader(name, value)
            upstream.endheaders(body)
            response = upstream.getresponse()
            return response.status, response.headers.get("Content-Type", "text/xml"), response.read()
        finally:
            upstream.close()

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
