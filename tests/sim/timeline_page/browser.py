"""A chromium without a window, driven through a pipe (the DevTools protocol), with nothing but Python's own library.

As a program it measures:  browser.py FIRST-PAINT PAGE.HTML...  prints, for each page, the milliseconds from the start of
its navigation to its first contentful paint.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile


class Browser:
  """One tab. Use as a context manager."""

  def __init__(self, width=1400, height=900):
    self._folder = tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR"))
    to_browser, self._out = os.pipe()
    self._in, from_browser = os.pipe()
    self._number = 0
    self._buffer = b""
    self.messages = []  # what the page has logged, and uncaught errors
    self._process = subprocess.Popen(
        ["bash", "-c", f'exec chromium "$@" 3<&{to_browser} 4>&{from_browser}', "chromium",
         "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-startup-window",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
         f"--user-data-dir={self._folder.name}", f"--window-size={width},{height}", "--remote-debugging-pipe"],
        pass_fds=(to_browser, from_browser), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": self._folder.name})
    os.close(to_browser)
    os.close(from_browser)
    self._session = None
    target = self.call("Target.createTarget", url="about:blank", width=width, height=height)["targetId"]
    self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Page", "Runtime", "Network"):
      self.call(domain + ".enable")
    self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

  def __enter__(self):
    return self

  def __exit__(self, *error):
    session, self._session = self._session, None
    try:
      self.call("Browser.close")
    except (EOFError, OSError):
      pass
    self._session = session
    self._process.wait(30)
    os.close(self._out)
    os.close(self._in)
    self._folder.cleanup()

  def _receive(self):
    while b"\0" not in self._buffer:
      part = os.read(self._in, 1 << 20)
      if not part:
        raise EOFError("chromium has ended")
      self._buffer += part
    text, self._buffer = self._buffer.split(b"\0", 1)
    return json.loads(text)

  def _note(self, message):
    method = message.get("method")
    if method == "Runtime.exceptionThrown":
      self.messages.append("error: " + json.dumps(message["params"]["exceptionDetails"]))
    elif method == "Runtime.consoleAPICalled":
      self.messages.append("console: " + json.dumps(message["params"]["args"]))
    elif method == "Network.requestWillBeSent":
      url = message["params"]["request"]["url"]
      if not url.startswith(("file:", "data:", "about:")):
        self.messages.append("network: " + url)

  def call(self, method, **parameters):
    """Returns the result of a command of the protocol."""
    self._number += 1
    message = {"id": self._number, "method": method, "params": parameters}
    if self._session is not None:
      message["sessionId"] = self._session
    os.write(self._out, json.dumps(message).encode() + b"\0")
    while True:
      answer = self._receive()
      if answer.get("id") != self._number:
        self._note(answer)
      elif "error" in answer:
        raise RuntimeError(f"{method}: {answer['error']['message']}")
      else:
        return answer["result"]

  def run(self, expression):
    """Returns the value of a JavaScript expression, of a promise what it comes to."""
    result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
    if "exceptionDetails" in result:
      raise RuntimeError(expression + ": " + json.dumps(result["exceptionDetails"]))
    return result["result"].get("value")

  def open(self, path, fragment=""):
    """Loads a file, and waits until it has been drawn."""
    self.call("Page.navigate", url="about:blank")
    self.call("Page.navigate", url=pathlib.Path(path).absolute().as_uri() + fragment)
    self.run("new Promise(done => document.readyState === 'complete' ? done() : addEventListener('load', () => done()))")
    self.settle()

  def settle(self):
    """Waits for two frames."""
    self.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))")

  def press(self, key, times=1):
    for _ in range(times):
      text = {"text": key} if len(key) == 1 else {}
      self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
      self.call("Input.dispatchKeyEvent", type="keyUp", key=key)
    self.settle()

  def point_at(self, selector):
    """Moves the mouse over an element."""
    x, y = self.run(f"(() => {{ const box = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
                    " return [box.x + Math.min(20, box.width / 2), box.y + box.height / 2]; })()")
    self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    self.settle()

  def picture(self, path):
    import base64
    data = self.call("Page.captureScreenshot", format="png")["data"]
    pathlib.Path(path).write_bytes(base64.b64decode(data))

  def first_paint(self):
    """Milliseconds from the start of the navigation to the first contentful paint."""
    return self.run("new Promise(done => new PerformanceObserver(list => { const paint = "
                    "list.getEntries().find(entry => entry.name === 'first-contentful-paint'); "
                    "if (paint) done(paint.startTime); }).observe({type: 'paint', buffered: true}))")


def main(arguments):
  if len(arguments) < 3 or arguments[1] != "FIRST-PAINT":
    sys.exit(__doc__)
  with Browser() as browser:
    for path in arguments[2:]:
      browser.open(path)
      print(f"{browser.first_paint():.0f}")


if __name__ == "__main__":
  main(sys.argv)
