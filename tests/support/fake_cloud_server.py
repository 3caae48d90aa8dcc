# SPDX-License-Identifier: Apache-2.0
"""A simulated cloud of the SDK (vcp/plugin/testing/fake_cloud.h), the shared object that the conformance suite uses, behind
a real port: so that the official client of that cloud can judge it, and the controller can use it."""

import ctypes
import http.server
import json
import threading
import time

REVISION = 0


class String(ctypes.Structure):
    _fields_ = [("data", ctypes.c_char_p), ("size", ctypes.c_uint64)]

    @classmethod
    def of(cls, text):
        raw = text.encode() if isinstance(text, str) else text
        return cls(raw, len(raw))

    def bytes(self):
        return ctypes.string_at(self.data, self.size) if self.size else b""


class Header(ctypes.Structure):
    _fields_ = [("name", String), ("value", String)]


class Request(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("reserved", ctypes.c_uint32), ("method", String), ("url", String),
                ("headers", ctypes.POINTER(Header)), ("header_count", ctypes.c_uint64), ("body", String),
                ("account", String), ("timeout_ms", ctypes.c_int64), ("max_response_bytes", ctypes.c_uint64),
                ("ca_file", String), ("ca_pem", String)]


STATUS = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int32, ctypes.c_int64)
HEADER = ctypes.CFUNCTYPE(None, ctypes.c_void_p, String, String)
BODY = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, String)


class HttpSink(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("reserved", ctypes.c_uint32), ("plugin_data", ctypes.c_void_p),
                ("status", STATUS), ("header", HEADER), ("body", BODY)]


class Object(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("reserved", ctypes.c_uint32), ("kind", String), ("name", String),
                ("id", String), ("owner", String)]


OBJECT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(Object))


class ObjectSink(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("reserved", ctypes.c_uint32), ("tool_data", ctypes.c_void_p),
                ("object", OBJECT)]


class Entry(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("revision", ctypes.c_uint32),
                ("open", ctypes.CFUNCTYPE(ctypes.c_void_p, String)),
                ("close", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
                ("is_change", ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.POINTER(Request))),
                ("handle", ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(Request), ctypes.POINTER(HttpSink))),
                ("objects", ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(ObjectSink))),
                ("advance", ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)),
                ("add_foreign", ctypes.CFUNCTYPE(None, ctypes.c_void_p))]


class FakeCloudServer:
    """`url` is where it listens. The cloud's time is real time, and what advance() adds to it."""

    def __init__(self, library, options):
        self.library = ctypes.CDLL(str(library))
        self.entry = Entry.in_dll(self.library, "vcp_fake_cloud_v0")
        if self.entry.revision != REVISION:
            raise RuntimeError(f"{library}: revision {self.entry.revision}, this server knows {REVISION}")
        self.cloud = self.entry.open(String.of(json.dumps(options)))
        if not self.cloud:
            raise RuntimeError(f"{library} refuses its options")
        self.lock = threading.Lock()
        self.begun = time.monotonic()
        cloud = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                cloud.serve(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = answer

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def pass_time(self):
        now = time.monotonic()
        self.entry.advance(self.cloud, int((now - self.begun) * 1000))
        self.begun = now

    def advance(self, ms):
        with self.lock:
            self.entry.advance(self.cloud, ms)

    def objects(self):
        """(kind, name, id, owner) of what exists and costs money."""
        found = []

        @OBJECT
        def take(_, one):
            found.append(tuple(getattr(one.contents, key).bytes().decode() for key in ("kind", "name", "id", "owner")))

        with self.lock:
            self.pass_time()
            self.entry.objects(self.cloud, ctypes.byref(ObjectSink(ctypes.sizeof(ObjectSink), 0, None, take)))
        return found

    def url_of(self, path):
        """The URL that the cloud is asked for: where it has several hosts, a subclass tells them by the path."""
        return self.url + path

    def watch(self, method, path, body):
        """Each request, before it is answered; for a subclass."""

    def serve(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        self.watch(handler.command, handler.path, body)
        headers = [(name.encode(), value.encode()) for name, value in handler.headers.items()]
        array = (Header * len(headers))(*[Header(String.of(name), String.of(value)) for name, value in headers])
        request = Request(ctypes.sizeof(Request), 0, String.of(handler.command), String.of(self.url_of(handler.path)), array,
                          len(headers), String.of(body))
        answer = {"status": 0, "headers": [], "body": b""}

        @STATUS
        def status(_, code, __):
            answer["status"] = code

        @HEADER
        def header(_, name, value):
            answer["headers"].append((name.bytes().decode(), value.bytes().decode()))

        @BODY
        def piece(_, text):
            answer["body"] += text.bytes()
            return 0

        with self.lock:
            self.pass_time()
            self.entry.handle(self.cloud, ctypes.byref(request),
                              ctypes.byref(HttpSink(ctypes.sizeof(HttpSink), 0, None, status, header, piece)))
        handler.send_response(answer["status"])
        for name, value in answer["headers"]:
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer["body"])))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(answer["body"])

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.entry.close(self.cloud)
