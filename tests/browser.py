"""A headless Chromium for tests that look at pages: what was fetched, said, drawn and clipped.

Import the fixture where it is used: ``from browser import browser``. Without Chromium its tests
are skipped on a reader's machine, but fail where ``CI=true``, so that they cannot rot unseen.
"""

import json
import os
import shutil
import tempfile
from contextlib import contextmanager

import pytest

SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


@contextmanager
def open_browser(width=1280, height=900):
    """Open a Chromium with a fresh profile that logs its requests and console."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for switch in (*SWITCHES, f"--user-data-dir={profile}"):
            options.add_argument(switch)
        # Both programs are named: otherwise selenium looks for a driver on the network.
        service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
        driver = webdriver.Chrome(options=options, service=service)
        try:
            resize(driver, width, height)
            yield driver
        finally:
            driver.quit()


@pytest.fixture(scope="module")
def browser():
    """Give one Chromium to the tests of a file."""
    missing = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]
    if missing:
        reason = f"{' and '.join(missing)} not found; apt-get install chromium chromium-driver"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    with open_browser() as driver:
        yield driver


def resize(driver, width, height=900):
    """Give the page this size; a window itself cannot be as narrow as a telephone."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def visit(driver, page, query=""):
    """Open a file from disk, with the logs of earlier pages forgotten."""
    driver.get("about:blank")
    driver.get_log("performance")
    driver.get_log("browser")
    driver.get(page.resolve().as_uri() + query)


def requested(driver):
    """Return the addresses asked for since the page was opened."""
    messages = (json.loads(entry["message"])["message"] for entry in driver.get_log("performance"))
    return [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]


def complaints(driver):
    """Return the severe messages of the console since the page was opened."""
    return [e["message"] for e in driver.get_log("browser") if e["level"] == "SEVERE"]


def overflow(driver):
    """Return by how many pixels the page is wider than the screen."""
    return driver.execute_script(
        "const d = document.documentElement; return d.scrollWidth - d.clientWidth"
    )


def run_first_cell(driver, url, seconds=90):
    """Open a notebook of `servers.lab`, whose last cell says "left alone", and run its first."""
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait

    driver.get(url)
    # The page replaces what it has drawn while it settles.
    wait = WebDriverWait(driver, seconds, ignored_exceptions=[StaleElementReferenceException])
    wait.until(lambda d: "left alone" in d.find_element(By.CSS_SELECTOR, ".jp-Notebook").text)
    wait.until(lambda d: "Idle" in d.find_element(By.TAG_NAME, "body").text)
    driver.find_element(By.CSS_SELECTOR, ".jp-CodeCell .cm-content").click()
    driver.switch_to.active_element.send_keys(Keys.SHIFT, Keys.ENTER)
    return wait
