# SPDX-License-Identifier: Apache-2.0
"""Bytes to a TLS port, and what comes back: for requests that no client library would send. What is answered is held
against the document that the server serves (contract.py), whatever was asked."""

import json
import socket
import ssl
import urllib.parse

import requests.structures

import contract


class Answer:
    """Status, headers (names in any case) and body of an HTTP answer."""

    def __init__(self, data):
        head, _, self.body = data.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        self.line = line
        self.status_code = int(line.split()[1])
        pairs = [field.partition(":") for field in fields]
        self.headers = requests.structures.CaseInsensitiveDict((name, value.strip()) for name, _, value in pairs)
        self.content = self.body
        self.text = self.body.decode("utf-8")

    def json(self):
        return json.loads(self.text)


class RawHttps:
    def __init__(self, url, ca):
        self.url, self.ca = url, ca
        parts = urllib.parse.urlsplit(url)
        self.address = (parts.hostname, parts.port)
        self.host = parts.netloc
        self.context = ssl.create_default_context(cafile=ca)

    def exchange(self, data, timeout=60):
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

    def ask(self, data, timeout=60):
        answer = Answer(self.exchange(data, timeout))
        head, _, body = data.partition(b"\r\n\r\n")
        method, path = (head.split(b"\r\n")[0].decode("latin-1").split(" ") + ["", ""])[:2]
        sent = json.loads(body) if body and answer.status_code < 300 else None
        contract.served(self.url, self.ca).check(method, path.removeprefix(contract.PREFIX), answer, sent)
        return answer
