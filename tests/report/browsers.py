"""Chromium, Firefox and WebKit behind the few functions that the tests of all three need."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
from browser import chromium
from selenium.webdriver import WebKitGTK, WebKitGTKOptions, WebKitGTKService

BROWSERS = ("chromium", "firefox", "webkit")
_WAIT = 120  # seconds until a browser has started on a busy machine
_MINI_BROWSER = Path("/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser")


class Browser(Protocol):
    """What the tests need of a browser; Selenium's drivers have it."""

    def get(self, url: str) -> None: ...

    def execute_script(self, script: str, *args: Any) -> Any: ...  # noqa: ANN401  (what JavaScript returns)


@contextmanager
def open_browser(name: str, profile: Path) -> Iterator[Browser]:
    """Open one of ``BROWSERS`` without a window; skip the test where it is not installed."""
    opened = {"chromium": chromium, "firefox": _firefox, "webkit": _webkit}[name]
    with opened(profile) as browser:
        yield browser


class Firefox:
    """Firefox through its own protocol, Marionette: Debian has no geckodriver for Selenium."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_WAIT)
        self._sent = 0
        self._receive()  # says hello
        self._send("WebDriver:NewSession", {})

    def get(self, url: str) -> None:
        self._send("WebDriver:Navigate", {"url": url})

    def execute_script(self, script: str, *args: Any) -> Any:  # noqa: ANN401  (what JavaScript returns)
        found = self._send("WebDriver:ExecuteScript", {"script": script, "args": list(args)})
        return found["value"]

    def _send(self, command: str, parameters: dict[str, Any]) -> Any:  # noqa: ANN401  (what JavaScript returns)
        self._sent += 1
        message = json.dumps([0, self._sent, command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self._receive()
        assert error is None, error
        return result

    def _receive(self) -> Any:  # noqa: ANN401  (JSON)
        length = b""
        while not length.endswith(b":"):
            length += self._socket.recv(1)
        message = b""
        while len(message) < int(length[:-1]):
            message += self._socket.recv(int(length[:-1]) - len(message))
        return json.loads(message)


@contextmanager
def _firefox(profile: Path) -> Iterator[Firefox]:
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if program is None:
        pytest.skip("needs Firefox (firefox-esr), which is not installed here")
    profile.mkdir()
    (profile / "user.js").write_text('user_pref("marionette.port", 0);\n')
    command = [program, "--headless", "--marionette", "--no-remote", "--profile", str(profile)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            yield Firefox(int(_read_when_there(profile / "MarionetteActivePort")))
        finally:
            process.terminate()


@contextmanager
def _webkit(profile: Path) -> Iterator[WebKitGTK]:
    driver = shutil.which("WebKitWebDriver")
    if driver is None or not _MINI_BROWSER.exists() or shutil.which("Xvfb") is None:
        pytest.skip("needs WebKit (webkit2gtk-driver) and xvfb, which are not installed here")
    profile.mkdir()
    options = WebKitGTKOptions()
    options.binary_location = str(_MINI_BROWSER)
    options.add_argument("--automation")
    with ExitStack() as stack:
        # A display that needs no screen; its number is that of the first free one.
        number = profile / "display"
        screen = stack.enter_context(number.open("wb"))
        display = stack.enter_context(
            subprocess.Popen(
                ["Xvfb", "-displayfd", str(screen.fileno()), "-screen", "0", "1280x900x24"],
                pass_fds=[screen.fileno()],
                stderr=subprocess.DEVNULL,
            )
        )
        stack.callback(display.terminate)
        shown = f":{_read_when_there(number)}"
        # Several sandboxes within each other fail in containers.
        own = {"DISPLAY": shown, "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"}
        service = WebKitGTKService(driver, env=os.environ | own)
        yield stack.enter_context(WebKitGTK(options, service))


def _read_when_there(path: Path) -> str:
    until = time.monotonic() + _WAIT
    while time.monotonic() < until:
        if path.is_file() and (text := path.read_text().strip()):
            return text
        time.sleep(0.05)
    raise TimeoutError(f"{path.name}: the program did not start within {_WAIT} s")
