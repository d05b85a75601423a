"""Pages in a real browser, where one is: whether anything is wider than the screen of a phone."""

import html
import re
import shutil
import subprocess

PROGRAMS = ("chromium", "chromium-headless-shell", "google-chrome")

# A frame as wide as a phone's screen, which says how wide the page in it is, and what stands out on the right.
FRAME = """<!DOCTYPE html><body><iframe id="page" src="{name}" width="{width}" height="9000"></iframe><pre id="said"></pre>
<script>
page.onload = () => {{
  const root = page.contentDocument.documentElement, wide = []
  for (const item of page.contentDocument.querySelectorAll("body *")) {{
    const box = item.getBoundingClientRect()
    if (box.width > 0 && box.right > root.clientWidth + 1) wide.push(item.tagName + ": " + item.textContent.slice(0, 40))
  }}
  said.textContent = JSON.stringify([root.scrollWidth <= root.clientWidth, wide.slice(0, 5)])
}}
</script>"""


class Browser:
    def __init__(self, folder):
        self.folder = folder
        self.program = next(filter(None, map(shutil.which, PROGRAMS)), None)

    def check(self, walk, name, width=390):
        """A step: nothing of the page is beyond the right edge. Without a browser, there is no step."""
        if self.program is None:
            print(f"  --   {name} at {width} pixels: no browser is installed (make browser)", flush=True)
            return
        (self.folder / "frame.html").write_text(FRAME.format(name=name, width=width))
        result = subprocess.run(
            [self.program, "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
             "--virtual-time-budget=5000", "--dump-dom", f"file://{self.folder}/frame.html"],
            capture_output=True, text=True, timeout=120)
        said = re.search(r'<pre id="said">(.*?)</pre>', result.stdout, re.S)
        walk.check(f"{name} fits {width} pixels in a browser", "[true,[]]",
                   html.unescape(said[1]) if said else result.stderr[-1_000:])
