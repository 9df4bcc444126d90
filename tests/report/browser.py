"""A real browser for the tests of the page: headless Chromium, without a network of its own."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--force-prefers-reduced-motion",  # a test need not wait until scrolling has come to rest
)


@contextmanager
def chromium(profile: Path) -> Iterator[Chrome]:
    """Open Chromium with a profile of its own; skip the test where it is not installed."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("needs chromium and chromedriver, which are not installed here")
    options = ChromeOptions()
    options.binary_location = browser
    for flag in (*_FLAGS, f"--user-data-dir={profile}", "--window-size=1280,900"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with Chrome(options, ChromeService(driver)) as opened:
        opened.implicitly_wait(0)
        yield opened


def one(page: Chrome, selector: str) -> WebElement:
    return page.find_element(By.CSS_SELECTOR, selector)


def every(page: Chrome, selector: str) -> list[WebElement]:
    return page.find_elements(By.CSS_SELECTOR, selector)


def text_of(page: Chrome, selector: str) -> list[str]:
    return [element.text for element in every(page, selector) if element.is_displayed()]


def names_in(page: Chrome, table: str) -> list[str]:
    return text_of(page, f"#{table} tbody th bdi")


def until(page: Chrome, holds: Callable[[Chrome], object]) -> None:
    WebDriverWait(page, 10, poll_frequency=0.05).until(holds)
