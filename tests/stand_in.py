"""A module to ask in a process of its own: it does what it is told, good or bad."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from localpower.errors import EngineError


def answer(request):
    do, *said = request if isinstance(request, list) else [request]
    if do == "raise":
        raise ValueError("no parser")
    if do == "refuse":
        raise EngineError("no memory", "close something")
    if do == "hang":
        time.sleep(600)
    if do == "exit":
        os._exit(1)
    if do == "signal":
        os.kill(os.getpid(), said[0])
    if do == "noise":
        os.write(1, b"what a library prints")
        print("more of it")
    if do == "listen":
        child = subprocess.run(["cat"], capture_output=True, text=True, check=True)
        return [sys.stdin.read(), child.stdout]
    if do == "babble":
        os.write(3, b"this is no reply\\n")
    if do == "eat":
        bytearray(1 << 40)
    if do == "grandchild":
        return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid
    return os.getpid()
