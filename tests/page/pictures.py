"""Pictures of the page for the documents, small: 256 colours are enough for text on plain ground."""

from __future__ import annotations

import base64
import struct
import zlib
from pathlib import Path

import numpy as np
from playwright.async_api import Page

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PIXELS = """async (address) => {
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const {data} = context.getImageData(0, 0, image.width, image.height);
  const reader = new FileReader();
  reader.readAsDataURL(new Blob([data]));
  await new Promise((done) => { reader.onload = done; });
  return [image.width, image.height, reader.result.split(",")[1]];
}"""


async def keep(page: Page, name: str) -> None:
    """Write what is seen to docs/images/<name>.png."""
    shot = await page.screenshot(animations="disabled", caret="hide")
    address = f"data:image/png;base64,{base64.b64encode(shot).decode()}"
    width, height, pixels = await page.evaluate(PIXELS, address)
    IMAGES.mkdir(exist_ok=True)
    (IMAGES / f"{name}.png").write_bytes(with_palette(width, height, base64.b64decode(pixels)))


def with_palette(width: int, height: int, pixels: bytes) -> bytes:
    """Return a PNG of RGBA pixels in their 256 most frequent colours, every other one as the nearest of these."""
    packed = np.frombuffer(pixels, "<u4") & 0xFFFFFF
    colours, places, counts = np.unique(packed, return_inverse=True, return_counts=True)
    parts = np.stack([colours & 255, colours >> 8 & 255, colours >> 16], axis=1).astype(np.int64)
    palette = parts[np.argsort(-counts, kind="stable")[:256]]
    nearest = np.array([np.square(palette - colour).sum(axis=1).argmin() for colour in parts], dtype=np.uint8)
    rows = nearest[places].reshape(height, width)
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            chunk(b"PLTE", palette.astype(np.uint8).tobytes()),
            chunk(b"IDAT", zlib.compress(lines, 9)),
            chunk(b"IEND", b""),
        ]
    )


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
