# SPDX-License-Identifier: Apache-2.0
"""A proxy in front of a REST API that counts requests by method and path, and does to some what clouds do to requests."""

import http.client
import re

from faulty_proxy import FaultyProxy

# An id of its own in a path: OpenStack's UUIDs, with hyphens and without.
ID = re.compile(r"\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b")
# Of the connection between two, not of the answer.
OWN = {"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"}


class RestProxy(FaultyProxy):
    """An action is "POST /servers": without the query, the prefix that all paths have, and ids, which are "{id}"."""

    def __init__(self, target, prefix=""):
        self.prefix = prefix
        super().__init__(target)

    def action_of(self, method, path):
        return f"{method} {ID.sub('{id}', path.partition('?')[0].removeprefix(self.prefix)) or '/'}"

    def serve(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        action = self.action_of(handler.command, handler.path)
        with self.lock:
            self.counts[action] += 1
            self.seen.append((action, handler.path, body))
            fault = self.faults[action].popleft() if self.faults[action] else None
        if fault == "dropped":
            return self.hang_up(handler)
        if isinstance(fault, tuple):
            status, kind, text = fault
            headers, answer = [("Content-Type", kind)], text.encode()
        else:
            status, headers, answer = self.forward(handler, body)
        if fault == "lost":
            return self.hang_up(handler)
        handler.send_response(status)
        for name, value in headers:
            handler.send_header(name, value)
        if status != 204:
            handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)

    def forward(self, handler, body):
        """With every header as it came: answers name the host that was asked."""
        upstream = http.client.HTTPConnection(self.target, timeout=120)
        try:
            upstream.putrequest(handler.command, handler.path, skip_host=True, skip_accept_encoding=True)
            for name, value in handler.headers.items():
                if name.lower() != "connection":
                    upstream.putheader(name, value)
            upstream.endheaders(body or None)
            response = upstream.getresponse()
            return response.status, [one for one in response.getheaders() if one[0].lower() not in OWN], response.read()
        finally:
            upstream.close()
