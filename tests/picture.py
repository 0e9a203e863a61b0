"""The picture of the page in README.md: `python tests/picture.py ARTIFACT` writes docs/page.png."""

import base64
import io
import sys
import tempfile
from pathlib import Path

from browser import Page, chromium, screen
from PIL import Image
from serving import in_thread

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "page.png"
MAX_BYTES = 200_000
WIDTH, HEIGHT, N_COLOURS = 1200, 720, 128
SAID = ("a clever heist film, no horror", "something like Out of Sight, from the nineties")


def picture(driver, url, said=SAID):
    """PNG of the page once this was said."""
    with screen(driver, WIDTH, HEIGHT, scale=1.5):
        page = Page(driver, url)
        for _ in range(2):  # the second time everything is warm
            page.press("#anew")
            page.wait(lambda: page.texts("#heading") == ["Popular"])
            for text in said:
                page.say(text)
        driver.execute_script("document.activeElement.blur()")
        shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
    drawn, small = Image.open(io.BytesIO(base64.b64decode(shot))), io.BytesIO()
    drawn.convert("RGB").quantize(N_COLOURS, dither=Image.Dither.NONE).save(
        small, "png", optimize=True
    )
    assert small.tell() <= MAX_BYTES, small.tell()
    return small.getvalue()


def main(artifact):
    with (
        tempfile.TemporaryDirectory() as folder,
        in_thread(artifact, Path(folder)) as client,
        chromium() as driver,
    ):
        PICTURE.write_bytes(picture(driver, str(client.base_url)))
    sys.stdout.write(f"{PICTURE}: {PICTURE.stat().st_size} bytes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
