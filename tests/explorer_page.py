"""The explorer as a person meets it: controls found by their labels, numbers read off the page."""

import time

from selenium.common.exceptions import ElementNotInteractableException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait


def wait_for(what, seconds=30, about="the page"):
    """The first true value of `what()`; errors on the way count as not yet."""
    end, last = time.monotonic() + seconds, None
    while time.monotonic() < end:
        try:
            if found := what():
                return found
        except Exception as error:  # a node that was replaced meanwhile
            last = error
        time.sleep(0.05)
    raise AssertionError(f"{about} did not come within {seconds} s ({last})")


QUIET = 0.3  # seconds without another answer after which an act has had its last


class ExplorerPage:
    """One explorer on one open page."""

    def __init__(self, driver):
        self.driver = driver

    def ready(self, seconds=90):
        wait_for(lambda: self.serial() is not None, seconds, "the explorer")
        return self

    def one(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def serial(self):
        """The number of the answer that is shown."""
        return self.driver.execute_script(
            "const s = document.querySelector('section[aria-label=Answer]');"
            "return s && s.dataset.serial ? +s.dataset.serial : null"
        )

    def control(self, label, kind="select"):
        """A control by the text of its label."""
        path = (
            f"//label[normalize-space(.)='{label}' or starts-with(normalize-space(.), '{label},')]"
        )
        name = wait_for(lambda: self.driver.find_element(By.XPATH, path), 10, label)
        return self.driver.find_element(By.ID, name.get_attribute("for")) if name.get_attribute(
            "for") else name.find_element(By.XPATH, f"..//{kind}")  # fmt: skip

    def answered(self, act):
        """Do something and wait until another answer stands on the page."""
        before = self.serial()
        act()
        wait_for(lambda: (self.serial() or 0) > before, 20, "another answer")
        # One act may be answered twice (controls first, filters after): wait for the last.
        last, since = self.serial(), time.monotonic()
        while time.monotonic() - since < QUIET:
            time.sleep(0.05)
            if (now := self.serial()) != last:
                last, since = now, time.monotonic()

    def choose(self, label, text):
        self.answered(lambda: self.pick(label, text))

    def pick(self, label, text):
        self.patiently(lambda: Select(self.control(label)).select_by_visible_text(text))

    def patiently(self, act):
        """Act as soon as the page lets one: what was just unfolded may not be drawn yet."""
        wait = WebDriverWait(self.driver, 30, ignored_exceptions=[ElementNotInteractableException])
        wait.until(lambda _: act() or True)

    @staticmethod
    def select(node, text):
        Select(node).select_by_visible_text(text)

    def type(self, label, text):
        """Put a number into a field and leave it with Enter."""
        field = self.control(label, "input")

        def enter():
            field.send_keys(Keys.CONTROL, "a")
            field.send_keys(text, Keys.ENTER)

        self.answered(enter)

    def tick(self, text):
        path = f'//label[normalize-space(.)="{text}"]//input[@type="checkbox"]'
        box = wait_for(lambda: self.driver.find_element(By.XPATH, path), 10, text)
        self.answered(box.click)

    def press(self, text):
        path = f"//button[starts-with(normalize-space(.), '{text}')]"
        button = wait_for(lambda: self.driver.find_element(By.XPATH, path), 10, text)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
        button.click()

    def upload(self, path):
        """Hand a file to the upload button, whose input is not in the page until it is pressed."""
        self.driver.execute_script(
            "const click = HTMLInputElement.prototype.click;"
            "HTMLInputElement.prototype.click = function () {"
            "  if (this.type === 'file') document.body.append(this); else click.call(this); };"
        )
        self.press("Choose a file")
        self.patiently(lambda: self.one("input[type=file]").send_keys(str(path)))

    def slide(self, end, key):
        """Move one end of the last range with an arrow key."""
        handles = self.driver.find_elements(By.CSS_SELECTOR, ".noUi-handle")
        handle = handles[-2 if end == "low" else -1]

        def move():
            handle.click()
            handle.send_keys(key)

        self.answered(move)

    def values(self):
        """What the page says, quantity by quantity."""
        return self.driver.execute_script(
            "return Object.fromEntries([...document.querySelectorAll("
            "'section[aria-label=Answer] tr[data-quantity]')].map((row) => ["
            "row.dataset.quantity, [...row.querySelectorAll('td')].map((c) => c.textContent)]))"
        )

    def rows(self):
        """Id to quantity and value of the table of the answer."""
        return self.driver.execute_script(
            "return Object.fromEntries([...document.querySelectorAll("
            "'section[aria-label=Answer] tr[data-quantity]')].map((row) => ["
            "row.dataset.quantity, [...row.querySelectorAll('th,td')].map((c) => c.textContent)]))"
        )

    def text(self, css="section[aria-label=Answer]"):
        return self.one(css).text

    def lead(self):
        return self.text(".sx .lead")

    def curves(self):
        """The drawn paths of the curves."""
        found = self.driver.find_elements(By.CSS_SELECTOR, "section[aria-label=Answer] path.curve")
        return [path.get_attribute("d") for path in found]

    def hover(self):
        """What the figure says under the pointer in its middle."""
        figure = self.one("section[aria-label=Answer] figure > svg")
        ActionChains(self.driver).move_to_element_with_offset(figure, 40, -60).perform()
        return wait_for(lambda: self.one(".sx .tip").text, 5, "the hover")

    def view(self):
        return self.control("View", "textarea").get_attribute("value")
