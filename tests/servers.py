"""JupyterLab and the explorer's own page on this machine, for tests that drive a browser."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import nbformat

from helpers.cohort import ROOT

# Cells off the screen are drawn too, and no pop-up covers a corner.
SETTINGS = {
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false"},
}


def free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return made.getsockname()[1]


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status == 200
    except OSError:
        return False


@contextmanager
def serving(command: list[str], url: str, *, folder, seconds=90):
    """Start a server and give its address once it answers; what it said is in the error if not."""
    log = folder / "server.log"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with log.open("w") as out:
        server = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, env=environment, cwd=ROOT
        )
    try:
        end = time.monotonic() + seconds
        while not answers(url):
            assert server.poll() is None and time.monotonic() < end, log.read_text()[-3000:]
            time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        try:
            server.wait(40)
        except subprocess.TimeoutExpired:
            server.kill()


@contextmanager
def lab(folder, cells: list[str]):
    """JupyterLab with one notebook of these cells, not run yet; gives the notebook's address."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, folder / "page.ipynb")
    settings = folder / "settings"
    settings.mkdir()
    (settings / "overrides.json").write_text(json.dumps(SETTINGS))
    port = free_port()
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
        "--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.password=",
        f"--ServerApp.root_dir={folder}", f"--LabApp.app_settings_dir={settings}",
        f"--LabApp.workspaces_dir={folder / 'workspaces'}",
    ]  # fmt: skip
    with serving(command, f"http://127.0.0.1:{port}/api", folder=folder):
        yield f"http://127.0.0.1:{port}/lab/tree/page.ipynb"


@contextmanager
def app(folder, *arguments: str):
    """The explorer as a page of its own, as `python -m helpers app` serves it."""
    port = free_port()
    command = [sys.executable, "-m", "helpers", "app", "--no-browser", "--port", str(port)]
    url = f"http://127.0.0.1:{port}/"
    with serving([*command, *arguments], url, folder=folder, seconds=120):
        yield url
    assert not answers(url), "the page outlived its command"
