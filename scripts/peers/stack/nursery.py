#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""nursery.py PROJECT: imports one project's programs once and forks each of them off, because importing them is most of what
they need to start, and they share the memory of it.

One JSON line a request on standard input, one answer line each on standard output.
  {"start": "module:function", "argv": [...], "environment": {...}, "log": FILE}   -> {"pid": N}, in a session of its own
  the same with "run" instead of "start"                                           -> {"status": N} when it has ended
What was started outlives this process, which ends with its standard input.
"""

import importlib
import json
import os
import signal
import sys
import traceback

# As they are before eventlet replaces them: this process must not have its event loop, which children would share.
wait_for, read, write = os.waitpid, os.read, os.write

PROGRAMS = {
    "keystone": ("keystone.cmd.manage", "keystone.server.wsgi", "waitress"),
    "glance": ("glance.cmd.api", "glance.cmd.manage"),
    "placement": ("placement.cmd.manage", "placement.wsgi", "waitress"),
    "neutron": ("neutron.cmd.eventlet.server", "neutron.db.migration.cli", "neutron.plugins.ml2.plugin"),
    "nova": ("nova.cmd.manage", "nova.cmd.api", "nova.cmd.conductor", "nova.cmd.scheduler", "nova.cmd.compute"),
    "cinder": ("cinder.cmd.api", "cinder.cmd.manage", "cinder.cmd.scheduler", "cinder.cmd.volume"),
}
APPLICATIONS = {
    "keystone": ("keystone.server.wsgi", "initialize_public_application"),
    "placement": ("placement.wsgi", "init_application"),
}


def serve_wsgi():
    """argv: project, host, port. Serves its WSGI application with threads."""
    import waitress

    _, project, host, port = sys.argv
    del sys.argv[1:]
    module, function = APPLICATIONS[project]
    application = getattr(importlib.import_module(module), function)()
    waitress.serve(application, host=host, port=int(port), threads=8, ident=project)


def become(request, function):
    """In the child: never returns."""
    status = 1
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDONLY)
        log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for source, target in ((null, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        os.environ.update(request.get("environment", {}))
        sys.argv = request["argv"]
        result = function()
        status = result if isinstance(result, int) else 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def function_of(name):
    module, _, function = name.partition(":")
    return serve_wsgi if module == "wsgi" else getattr(importlib.import_module(module), function)


def answer(request):
    function = function_of(request.get("start") or request["run"])
    child = os.fork()
    if child == 0:
        become(request, function)
    if "start" in request:
        return {"pid": child}
    _, status = wait_for(child, 0)
    return {"status": os.waitstatus_to_exitcode(status)}


def lines():
    """Of standard input, read without a buffer that a child would inherit."""
    rest = b""
    while chunk := read(0, 65536):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole


def main():
    for module in PROGRAMS[sys.argv[1]]:
        importlib.import_module(module)
    for line in lines():
        write(1, json.dumps(answer(json.loads(line))).encode() + b"\n")
    os._exit(0)  # nothing here wants an orderly end, and what was imported takes its time over one


if __name__ == "__main__":
    main()
