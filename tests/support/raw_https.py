# SPDX-License-Identifier: Apache-2.0
"""Bytes to a TLS port, and what comes back: for requests that no client library would send."""

import json
import socket
import ssl
import urllib.parse


class Answer:
    """Status, headers (by lower-case name) and body of an HTTP answer."""

    def __init__(self, data):
        head, _, self.body = data.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        self.line = line
        self.status_code = int(line.split()[1])
        self.headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        self.content = self.body
        self.text = self.body.decode("utf-8")

    def json(self):
        return json.loads(self.text)


class RawHttps:
    def __init__(self, url, ca):
        parts = urllib.parse.urlsplit(url)
        self.address = (parts.hostname, parts.port)
        self.host = parts.netloc
        self.context = ssl.create_default_context(cafile=ca)

    def exchange(self, data, timeout=10):
        """Everything that the server sends until it closes the connection or `timeout` s of silence pass."""
        received = b""
        with socket.create_connection(self.address, timeout) as plain, \
                self.context.wrap_socket(plain, server_hostname=self.address[0]) as connection:
            connection.sendall(data)
            try:
                while piece := connection.recv(65536):
                    received += piece
            except (TimeoutError, ConnectionResetError, ssl.SSLError):
                pass
        return received

    def ask(self, data, timeout=10):
        return Answer(self.exchange(data, timeout))
