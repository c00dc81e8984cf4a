"""What an explorer's answer costs; a benchmark, not a test.

In one run on one machine, so that only the ratios travel: the full answer to a subgroup question
of 93 patients (curves with risk table, medians, milestones, restricted means, log-rank, unadjusted
and adjusted hazard ratio, interaction) by each engine, by R's survfit + survdiff + three coxph, and
by greenwood for what it has of them; then all that the page makes of it; 100,000 patients; and,
where Chromium is there, the time from a change of a control in JupyterLab to the new number.

    python tests/bench/bench_explorer.py
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from timing import seconds

from helpers.analysis import analyse
from helpers.cohort import load_cohort
from helpers.explorer import Explorer
from helpers.view import View

VIEW = View.read(
    '{"where": [{"column": "age", "min": 50}], "adjust": ["ecog >= 3", "ipi >= 3"], "horizon": 365}'
)
R_ANSWER = """
suppressMessages(library(survival))
d <- read.csv("{path}")
d$e <- factor(d$ecog >= 3); d$i <- factor(d$ipi >= 3); d$inside <- d$age >= 50
d$arm <- relevel(factor(d$arm), "non-CAR-T")
one <- function() {{
  s <- d[d$inside, ]
  f <- survfit(Surv(os_time, os_event) ~ arm, s, conf.type = "log-log")
  print(f, rmean = 365); summary(f, times = c(91.25, 182.5, 365), extend = TRUE)
  survdiff(Surv(os_time, os_event) ~ arm, s)
  summary(coxph(Surv(os_time, os_event) ~ arm, s))
  summary(coxph(Surv(os_time, os_event) ~ arm + e + i, s))
  summary(coxph(Surv(os_time, os_event) ~ arm * inside, d))
}}
bare <- function() {{
  s <- d[d$inside, ]
  survfit(Surv(os_time, os_event) ~ arm, s); survdiff(Surv(os_time, os_event) ~ arm, s)
  coxph(Surv(os_time, os_event) ~ arm, s); coxph(Surv(os_time, os_event) ~ arm + e + i, s)
  coxph(Surv(os_time, os_event) ~ arm * inside, d)
}}
best <- function(f) min(sapply(1:60, function(k) system.time(for (j in 1:3) f())[["elapsed"]] / 3))
sink("/dev/null"); one(); a <- best(one); b <- best(bare); sink()
cat(a, b)
"""


def in_r() -> list[float]:
    """R's best seconds with and without its summaries; empty where R is not there."""
    if not shutil.which("Rscript"):
        return []
    script = R_ANSWER.format(path=Path("data/cohort_synthetic.csv").resolve().as_posix())
    done = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=True)
    return [float(text) for text in done.stdout.split()]


def by_greenwood(frame: pd.DataFrame):
    """Curves with restricted means, log-rank and the three Cox models, by greenwood."""
    import greenwood

    data = pd.DataFrame({
        "arm": frame["arm"] == "CD20 CAR-T", "e": frame["ecog"] >= 3, "i": frame["ipi"] >= 3,
        "inside": frame["age"] >= 50,
    }).astype(float)  # fmt: skip
    data["product"] = data["arm"] * data["inside"]
    inside = data["inside"] == 1

    def surv(rows):
        return greenwood.Surv(
            frame.loc[rows, "os_time"].to_numpy(float),
            event=frame.loc[rows, "os_event"].to_numpy() == 1,
        )

    def work():
        few, every = surv(inside), surv(slice(None))
        greenwood.KaplanMeier().fit(few, by=data.loc[inside, "arm"])
        greenwood.logrank_test(few, group=data.loc[inside, "arm"])
        greenwood.CoxPH().fit(few, data.loc[inside, ["arm"]])
        greenwood.CoxPH().fit(few, data.loc[inside, ["arm", "e", "i"]])
        greenwood.CoxPH().fit(every, data[["arm", "inside", "product"]])

    return work


def many_patients(folder: Path, n: int = 100_000):
    """A cohort of n patients, written and loaded as a reader's would be."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({
        "patient_id": np.arange(n), "arm": rng.choice(["new", "old"], n),
        "os_time": rng.integers(1, 4_000, n), "os_event": rng.integers(0, 2, n),
        "age": rng.integers(18, 95, n), "ecog": rng.integers(0, 5, n), "ipi": rng.integers(0, 6, n),
    })  # fmt: skip
    frame.to_csv(folder / "many.csv", index=False)
    (folder / "map.yaml").write_text("reference_arm: old")
    return load_cohort(folder / "many.csv", folder / "map.yaml")


def in_jupyterlab(changes: int = 40) -> list[float]:
    """Milliseconds from a change of the endpoint in the page to the redrawn answer."""
    from browser import open_browser
    from explorer_page import ExplorerPage, wait_for
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from servers import lab

    cells = ["from helpers.explorer import explore", "explore()"]
    timed = """
      const [done] = [arguments[arguments.length - 1]];
      const root = document.querySelector('section[aria-label=Answer]');
      const all = [...document.querySelectorAll('label')];
      const label = all.find((l) => l.textContent === 'Endpoint');
      const box = label.parentNode.querySelector('select');
      const start = performance.now();
      const watch = new MutationObserver(() => {
        watch.disconnect();
        requestAnimationFrame(() => done(performance.now() - start));
      });
      watch.observe(root, { attributes: true, attributeFilter: ['data-serial'] });
      box.selectedIndex = 1 - box.selectedIndex;
      box.dispatchEvent(new Event('change', { bubbles: true }));
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        open_browser(1500, 2000) as driver,
        lab(Path(folder), cells) as url,
    ):
        driver.get(url)
        code = ".jp-Notebook .jp-CodeCell .cm-content"
        wait_for(lambda: "Idle" in driver.find_element(By.TAG_NAME, "body").text, 60)
        wait_for(lambda: driver.find_element(By.CSS_SELECTOR, code).click() or True, 30)
        for _ in cells:
            keys = ActionChains(driver)
            keys.key_down(Keys.SHIFT).send_keys(Keys.ENTER).key_up(Keys.SHIFT).perform()
        ExplorerPage(driver).ready()
        wait_for(lambda: ExplorerPage(driver).control("Endpoint"), 30)
        found = []
        for _ in range(changes):
            time.sleep(0.25)
            found.append(driver.execute_async_script(timed))
    return found


def line(name: str, value: float, unit: float) -> None:
    print(f"  {name:52} {1e3 * value:9.1f} ms   {value / unit:7.2f} x R's five calls")


def main() -> None:
    warnings.simplefilter("ignore")
    cohort = load_cohort()
    r = in_r()
    unit = r[1] if r else np.nan
    print("The full answer to a subgroup of 93 patients")
    fast = seconds(lambda: analyse(cohort, VIEW, engine="fast"), 200)
    named = seconds(lambda: analyse(cohort, VIEW), 10)
    line("analyse, fast engine", fast, unit)
    line("analyse, lifelines engine", named, unit)
    if r:
        line("R: survfit, survdiff, three coxph", r[1], unit)
        line("R: the same with summaries, milestones, rmean", r[0], unit)
    else:
        print("  R is not there: no ratio to it")
    line("greenwood: curves, log-rank, three Cox models",
         seconds(by_greenwood(cohort.frame), 20), unit)  # fmt: skip
    page = Explorer(cohort, VIEW)
    line("the page: answer, both sides, cautions, figure data", seconds(page.ask, 60), unit)
    with tempfile.TemporaryDirectory() as folder:
        many = many_patients(Path(folder))
        took = seconds(lambda: analyse(many, VIEW, engine="fast"), 3)
        print(f"100,000 patients, fast engine: {took:.2f} s")
        page = Explorer(many, VIEW)
        print(f"100,000 patients, the page: {seconds(page.ask, 2):.2f} s")
    if shutil.which("chromium"):
        found = in_jupyterlab()
        print(f"JupyterLab, control to number: median {statistics.median(found):.0f} ms, "
              f"{min(found):.0f} to {max(found):.0f}, {len(found)} changes")  # fmt: skip


if __name__ == "__main__":
    main()
