"""The explorer as a page of its own, served by Voila on this machine only."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
from jupyter_core.paths import jupyter_path

from helpers.workshop.book import literal
from helpers.workshop.files import write

HEAD = """# Subgroup explorer

{status}. {caution}

## Question and answer

Choose a question at the left; the answer and how far to believe it stand beside it. Your own
cohort can be loaded at the end of the page: the file stays on this machine.
"""
CODE = """from helpers import load_cohort
from helpers.explorer import explore

explore(load_cohort({path!r}, {map_path!r}), files=({path!r}, {map_path!r}))
"""


def page(folder: Path, *, status: str, caution: str, path: str, map_path: str) -> Path:
    """Write the notebook that is served; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    head = HEAD.format(status=literal(status), caution=literal(caution))
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell(head, id="head"),
            nbformat.v4.new_code_cell(CODE.format(path=path, map_path=map_path), id="page"),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"},
                  "language_info": {"name": "python"}, "title": "Subgroup explorer"},
    )  # fmt: skip
    target = folder / "explorer.ipynb"
    write(notebook, target)
    return target


def offline(share: Path) -> None:
    """Write Voila's own page template without its icon font, which a network would have to bring:
    the page must work without one, and tell nobody that it was opened."""
    (source,) = [p for p in map(Path, jupyter_path("voila", "templates", "lab")) if p.is_dir()][:1]
    target = share / "voila" / "templates" / "offline"
    shutil.copytree(source, target, dirs_exist_ok=True)
    (target / "conf.json").write_text('{"base_template": "lab"}', encoding="utf-8")
    page = target / "index.html.j2"
    lines = page.read_text(encoding="utf-8").splitlines(keepends=True)
    page.write_text("".join(line for line in lines if "https://" not in line), encoding="utf-8")


def serve(notebook: Path, *, port: int | None, browser: bool) -> int:
    """Serve the notebook until interrupted; returns Voila's exit code."""
    command = [
        sys.executable, "-m", "voila", str(notebook), "--Voila.ip=127.0.0.1",
        "--VoilaConfiguration.theme=light", "--VoilaConfiguration.template=offline",
        "--VoilaConfiguration.show_tracebacks=False",
    ]  # fmt: skip
    command += [f"--port={port}"] if port else []
    command += [] if browser else ["--no-browser"]
    # Without byte code each visit would recompile what it imports.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    share = notebook.parent / "share"
    offline(share)
    environment["JUPYTER_PATH"] = os.pathsep.join(
        filter(None, [str(share), environment.get("JUPYTER_PATH")])
    )
    server = subprocess.Popen(command, env=environment)
    before = signal.signal(signal.SIGTERM, interrupted)
    try:
        return server.wait()
    finally:  # a page that outlives its command would keep a port and its kernels
        signal.signal(signal.SIGTERM, before)
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def interrupted(*_) -> None:
    raise KeyboardInterrupt
