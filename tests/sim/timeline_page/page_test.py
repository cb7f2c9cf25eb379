"""page_test.py PAGES: loads the pages that PAGES prints in chromium, steps through them, and checks what is shown."""

import os
import subprocess
import sys
import unittest

from browser import Browser

PAGES = os.path.abspath(sys.argv.pop(1))
FOLDER = os.environ.get("TEST_TMPDIR", "/tmp")


def page(example, *arguments):
  """Returns the path of a new page."""
  path = f"{FOLDER}/{example}.html"
  with open(path, "wb") as file:
    subprocess.run([PAGES, example, *arguments], stdout=file, check=True)
  return path


class PageTest(unittest.TestCase):

  @classmethod
  def setUpClass(cls):
    cls.browser = Browser()

  @classmethod
  def tearDownClass(cls):
    cls.browser.__exit__()

  def setUp(self):
    self.browser.messages.clear()
    self.run_js = self.browser.run

  def tearDown(self):
    self.assertEqual(self.browser.messages, [], "errors, or requests to the network")

  def open(self, example, fragment=""):
    self.browser.open(page(example), fragment)

  def text(self, selector):
    return self.run_js(f"document.querySelector('{selector}').innerText")

  def words(self):
    """What the selected row says."""
    return self.run_js("[...document.querySelectorAll('.row.selected .line')].map(line => line.textContent).join('')")

  def position(self):
    return self.text("#position")

  def table(self, name):
    return self.run_js(f"Object.fromEntries([...document.querySelectorAll('#{name} tr')].map("
                       "row => [row.children[0].innerText, [...row.children].slice(1).map(cell => cell.innerText)]))")

  def test_shows_the_violated_invariant_first(self):
    self.open("lost_update")
    self.assertEqual(self.text("h1"), "✗ invariant: updates are not lost")
    self.assertEqual(self.run_js("document.title"), "invariant: updates are not lost")
    self.assertIn("lock/lock.h:", self.text("#summary"))
    self.assertIn("2 threads · 7 steps · 2 context switches", self.text("#summary"))
    self.assertEqual(self.position(), "step 7, thread 0")
    self.assertEqual(self.words(), "counter two→one (store relaxed)")
    self.assertTrue(self.run_js("document.querySelector('.row.selected').classList.contains('failed')"))
    self.assertEqual(self.run_js("[...document.querySelectorAll('.row.failed .number')].map(n => n.textContent)"), ["7✗", "✗"])
    self.assertIn("thread 1 runs instead", self.run_js("document.getElementById('decisions').textContent"))
    self.assertIn("replay it", self.run_js("document.getElementById('identity').textContent"))

  def test_has_a_column_for_each_thread_and_spans_for_operations(self):
    self.open("lost_update")
    self.assertEqual(self.run_js("[...document.querySelectorAll('#heads .thread')].map(head => head.firstChild.data.trim())"),
                     ["thread 0", "thread 1"])
    # Of each row with a step its number, and the columns that are inside of an operation.
    spans = self.run_js("[...document.querySelectorAll('.row:not(.switch)')].map(row => "
                        "[row.querySelector('.number').textContent, "
                        "[...row.querySelectorAll('.cell')].map(cell => cell.classList.contains('in'))])")
    self.assertEqual([inside for number, inside in spans if number == "4"], [[True, True]])
    self.assertEqual([inside for number, inside in spans if number == "6"], [[True, False]])
    x = self.run_js("[...document.querySelectorAll('.row:not(.switch)')].filter(row => row.querySelector('.line'))"
                    ".map(row => [row.querySelector('.line').textContent, row.querySelector('.line').getBoundingClientRect().x])")
    own = {text: place for text, place in x}
    self.assertLess(own["locks mutex log"], own["own 0→7 (store relaxed)"])

  def test_steps_forwards_and_backwards(self):
    self.open("lost_update")
    self.browser.press("Home")
    self.assertEqual(self.words(), "add(1)")
    self.browser.press("ArrowDown")
    self.assertEqual(self.position(), "step 1, thread 0")
    self.browser.press("j")
    self.assertEqual(self.words(), "counter = zero (load relaxed)")
    self.browser.press("ArrowDown")
    self.assertEqual(self.words(), "add(2)", "the switch between is no row to stop at")
    self.browser.press("ArrowUp", 2)
    self.assertEqual(self.position(), "step 1, thread 0")
    self.browser.press("ArrowRight", 2)
    self.assertEqual(self.position(), "step 6, thread 0", "the thread's own next row")
    self.browser.press("r")
    self.assertEqual(self.position(), "step 4, thread 1", "the write that was read")
    self.browser.press("v")
    self.assertEqual(self.position(), "step 7, thread 0")
    self.browser.press("End")
    self.assertEqual(self.words(), "✗ invariant")
    self.browser.press("ArrowDown")
    self.assertEqual(self.words(), "✗ invariant", "there is no more")
    self.browser.press("D")
    self.assertEqual(self.position(), "step 3, thread 1", "the choice that was not benign")

  def test_tells_the_state_after_each_step(self):
    self.open("lost_update", "#step=3")
    self.assertEqual(self.position(), "step 3, thread 1", "an address names a step")
    self.assertEqual(self.table("objects")["counter"], ["zero"])
    self.assertEqual(self.table("objects")["log"], ["taken by thread 0"])
    self.assertEqual(self.table("threads"), {"thread 0": ["add(1)", "holds mutex log"], "thread 1": ["add(2)", "holds nothing"]})
    self.browser.press("ArrowDown")
    self.assertEqual(self.table("objects")["counter"], ["two"])
    self.assertEqual(self.table("objects")["own"], ["0"])
    self.browser.press("ArrowUp")
    self.assertEqual(self.table("objects")["counter"], ["zero"])
    self.browser.press("v")
    self.assertEqual(self.table("objects")["counter"], ["one"])
    self.assertEqual(self.table("threads")["thread 1"], ["has ended", "holds nothing"])
    # The watched word stands beside every step.
    watched = self.run_js("[...document.querySelectorAll('.row:not(.switch)')].map(row => "
                          "[row.querySelector('.number').textContent, row.querySelector('.watched').textContent])")
    self.assertEqual(self.text("#heads .watched-name"), "counter")
    self.assertEqual({number: value for number, value in watched if number in ("2", "4", "6", "7✗")},
                     {"2": "zero", "4": "two", "6": "two", "7✗": "one"})

  def test_draws_arrows_from_writes_to_reads(self):
    self.open("lost_update")
    arrows = "[...document.querySelectorAll('#paths path')].map(path => [path.dataset.from, path.dataset.to])"
    self.assertEqual(self.run_js(arrows), [["5", "9"]])
    row = "document.querySelector('.row[data-row=\"%d\"]').getBoundingClientRect()"
    of_event = "view.indexOf.get(%d)"
    box = self.run_js("(({top, bottom}) => [top, bottom])(document.querySelector('#paths path').getBoundingClientRect())")
    source = self.run_js(row % self.run_js(of_event % 5) + ".top")
    target = self.run_js(row % self.run_js(of_event % 9) + ".bottom")
    self.assertTrue(source <= box[0] and box[1] <= target, (source, box, target))
    self.run_js("(() => { const arrows = document.getElementById('arrows'); arrows.value = 'none';"
                " arrows.dispatchEvent(new Event('change')); })()")
    self.assertEqual(self.run_js(arrows), [])

  def test_filters_shared_accesses(self):
    self.open("lost_update")
    self.run_js("(() => { const filter = document.getElementById('filter'); filter.value = 'shared';"
                " filter.dispatchEvent(new Event('change')); })()")
    numbers = "[...document.querySelectorAll('.row .number')].map(n => parseInt(n.textContent)).filter(n => n > 0)"
    self.assertEqual(sorted(self.run_js(numbers)), [2, 3, 4, 6, 7])
    self.assertEqual(self.position(), "step 7, thread 0", "the selected step stays")
    self.browser.press("f")
    self.assertEqual(self.run_js("document.getElementById('filter').value"), "all")
    self.assertEqual(sorted(self.run_js(numbers)), [1, 2, 3, 4, 5, 6, 7])

  def test_tells_source_and_value_under_the_mouse(self):
    self.open("lost_update")
    self.assertTrue(self.run_js("document.getElementById('tip-box').hidden"))
    row = self.run_js("view.indexOf.get(9)")
    self.browser.point_at(f".row[data-row=\"{row}\"] .words")
    tip = self.text("#tip-box")
    self.assertIn("counter = two (load acquire)", tip)
    self.assertIn("Counter::Check", tip)
    self.assertIn("lock/lock.h:", tip)
    self.assertIn("value two (0x2)", tip)
    self.assertIn("read from step 4, thread 1", tip)
    self.assertIn("holds mutex log", tip)

  def test_shows_hostile_texts_as_texts(self):
    self.open("hostile")
    self.assertIn("</script><script>document.title='broken'</script>", self.text("h1"))
    self.assertNotEqual(self.run_js("document.title"), "broken")
    self.assertEqual(self.run_js("document.scripts.length"), 5)
    self.assertIn("</script>", self.words())

  def test_shows_an_empty_trace(self):
    self.open("empty")
    self.assertIn("passes", self.text("h1"))
    for key in ("ArrowDown", "ArrowUp", "Home", "End", "PageDown", "v", "r", "d", "f", "?"):
      self.browser.press(key)

  def test_shows_a_verdict_without_events(self):
    self.open("verdict")
    self.assertEqual(self.text("h1"), "✗ unsupported: no trace")
    for key in ("ArrowDown", "ArrowUp", "Home", "End", "PageDown", "v", "r", "d", "f"):
      self.browser.press(key)
      self.assertEqual(self.words(), "✗ unsupported: no trace")

  def test_keeps_the_selected_row_in_sight(self):
    self.open("long", "#step=5000")
    visible = ("(() => { const row = document.querySelector('.row.selected').getBoundingClientRect();"
               " const box = scroller.getBoundingClientRect(); return row.top >= box.top && row.bottom <= box.bottom; })()")
    for width, height in ((1400, 900), (700, 500), (1000, 600)):
      self.browser.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
      self.browser.settle()
      self.assertTrue(self.run_js(visible), (width, height))
      self.assertEqual(self.position(), "step 5000, thread 2")
    self.browser.press("?")
    self.assertTrue(self.run_js(visible), "with the keys shown")
    self.browser.call("Emulation.setDeviceMetricsOverride", width=1400, height=900, deviceScaleFactor=1, mobile=False)

  def test_is_light_or_dark(self):
    self.open("lost_update")
    background = "getComputedStyle(document.body).backgroundColor"
    brightness = lambda: sum(int(part) for part in self.run_js(background).strip("rgb()").split(","))
    for theme, other in (("light", "dark"), ("dark", "light")):
      self.browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
      self.run_js("delete document.documentElement.dataset.theme")
      self.assertEqual(brightness() > 380, theme == "light")
      self.run_js("document.getElementById('theme').click()")
      self.assertEqual(brightness() > 380, other == "light")
    self.browser.call("Emulation.setEmulatedMedia", features=[])

  def test_prints_every_row_on_white(self):
    self.open("lost_update")
    self.browser.call("Emulation.setEmulatedMedia", media="print",
                      features=[{"name": "prefers-color-scheme", "value": "dark"}])
    self.run_js("dispatchEvent(new Event('beforeprint'))")
    self.browser.settle()
    self.assertEqual(self.run_js("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)")
    self.assertEqual(self.run_js("document.querySelectorAll('.row').length"), self.run_js("view.rows.length"))
    self.assertEqual(self.run_js("getComputedStyle(document.querySelector('aside')).display"), "none")
    self.assertIn("← step 4", self.text("#rows"))
    overlaps = self.run_js("(() => { const boxes = [...document.querySelectorAll('.row')].map(row => row.getBoundingClientRect())"
                           ".sort((a, b) => a.top - b.top); return boxes.some((box, i) => i > 0 && box.top < boxes[i - 1].bottom - 1); })()")
    self.assertFalse(overlaps)
    self.browser.call("Emulation.setEmulatedMedia", media="", features=[])
    self.assertTrue(self.browser.call("Page.printToPDF")["data"])

  def test_keeps_few_elements_of_a_long_trace(self):
    self.open("long")
    self.assertEqual(self.words(), "✗ deadlock: no thread can go on")
    rows = "document.querySelectorAll('.row').length"
    self.assertGreater(self.run_js("view.rows.length"), 10_000)
    self.assertLess(self.run_js(rows), 200)
    self.browser.press("Home")
    self.assertEqual(self.position(), "event 0, thread 0")
    self.browser.press("PageDown", 3)
    visible = ("(() => { const row = document.querySelector('.row.selected').getBoundingClientRect();"
               " const box = scroller.getBoundingClientRect(); return row.top >= box.top && row.bottom <= box.bottom; })()")
    self.assertTrue(self.run_js(visible))
    self.run_js("scroller.scrollTop = scroller.scrollHeight / 2")
    self.browser.settle()
    self.browser.settle()
    self.assertLess(self.run_js(rows), 200)
    self.assertTrue(self.run_js("document.elementFromPoint(300, 500).closest('.row') !== null"), "the middle is drawn")


if __name__ == "__main__":
  unittest.main()
