"""Pictures without photographic content, drawn: each kind a template whose fields differ.

``KINDS[kind](seed)`` draws one; ``KINDS[kind](seed, changed=True)`` the same with one field
changed, as two payslips, receipts or tickets of one person are.
"""

import functools
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

__all__ = ["KINDS"]

TEXT = (
    "the of and to in is that for it as was with be by on not he his but at are this have from "
    "or had an they which one you were all her she there would their we him been has when who "
    "will no more if out so said what up its about into than them can only other time new some "
    "could these two may first then do any like my now over such our man me even most made "
    "after also did many off before must well back through years where much your way down "
    "should because long each just state people those too mr how little good world make very "
    "year still see work such life house "
)
WORDS = TEXT.split()
INK = (20, 20, 24)


@functools.cache
def font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


class Sheet:
    """A picture being drawn, and the numbers that decide what is on it.

    What is the same in both of a pair comes from `random`, the changed field from `field`.
    """

    def __init__(self, seed: int, changed: bool, size: tuple[int, int], ground="white") -> None:
        self.random = np.random.default_rng(seed)
        self.changed = changed
        self.image = Image.new("RGB", size, ground)
        self.pen = ImageDraw.Draw(self.image)

    def text(self, x: float, y: float, words: str, size: int, ink=INK) -> None:
        self.pen.text((x, y), words, ink, font(size))

    def words(self, count: int) -> str:
        return " ".join(self.random.choice(WORDS, count))

    def number(self, digits: int, field: bool = False) -> str:
        """A number; of the changed picture another one, if this is the field."""
        one, other = self.random.integers(10 ** (digits - 1), 10**digits, 2)
        return str(other if field and self.changed else one)

    def pick(self, count: int) -> int:
        return int(self.random.integers(count))


def lines_of_text(sheet: Sheet, box: tuple[int, int, int, int], size: int, digits: int = 5) -> None:
    """Fill a box with lines of words, one of which holds the field."""
    left, top, right, bottom = box
    step = round(size * 1.5)
    count = (bottom - top) // step
    field = sheet.pick(count)
    for line in range(count):
        words = sheet.words(4)
        if line == field:
            words += " " + sheet.number(digits, field=True)
        room = (right - left) * 0.92 - font(size).getlength(words)
        more = sheet.random.choice(WORDS, 60)
        words += " " + " ".join(more[: int(room / (size * 2.5))])
        if sheet.random.random() < 0.12:
            words = words[: len(words) // 2]
            words += "." if line != field else " " + sheet.number(1)
        sheet.text(left, top + line * step, words, size)


def page(seed: int, changed: bool = False) -> Image.Image:
    sheet = Sheet(seed, changed, (1240, 1754))
    sheet.text(140, 120, sheet.words(4).title(), 40)
    lines_of_text(sheet, (140, 230, 1100, 1620), 22)
    return sheet.image


def small_print(seed: int, changed: bool = False) -> Image.Image:
    sheet = Sheet(seed, changed, (2480, 3508))
    lines_of_text(sheet, (200, 200, 1200, 3300), 28)
    sheet.changed = False
    lines_of_text(sheet, (1280, 200, 2280, 3300), 28)
    return sheet.image


def form(seed: int, changed: bool = False) -> Image.Image:
    sheet = Sheet(seed, changed, (1240, 1754), (252, 252, 248))
    sheet.text(80, 60, "Application for a certificate", 38)
    field = sheet.pick(22)
    fixed = np.random.default_rng(1)
    for row in range(22):
        y = 150 + row * 70
        sheet.text(80, y, " ".join(fixed.choice(WORDS, 3)), 20)
        sheet.pen.rectangle((420, y - 8, 1160, y + 40), outline=(120, 120, 120))
        value = sheet.number(5, row == field) if row % 2 or row == field else sheet.words(3).title()
        sheet.text(435, y, value, 24, (30, 40, 120))
    return sheet.image


def chat(seed: int, changed: bool = False) -> Image.Image:
    sheet = Sheet(seed, changed, (1080, 2340), (236, 229, 221))
    sheet.pen.rectangle((0, 0, 1080, 200), fill=(7, 94, 84))
    sheet.text(180, 90, "Alex", 46, "white")
    y, bubble = 240, 0
    while y < 2100:
        mine, rows = sheet.random.random() < 0.5, 1 + sheet.pick(3)
        text = [sheet.words(5) for _ in range(rows)]
        if bubble == 5 and changed:
            text = [np.random.default_rng(seed).choice(WORDS, 5).tolist() for _ in range(rows)]
            text = [" ".join(line) for line in text]
        wide = 60 + max(font(36).getlength(line) for line in text)
        left = 1040 - wide if mine else 40
        colour = (220, 248, 198) if mine else "white"
        high = 40 + rows * 52
        sheet.pen.rounded_rectangle((left, y, left + wide, y + high), 20, colour)
        for line, words in enumerate(text):
            sheet.text(left + 30, y + 16 + line * 52, words, 36)
        y, bubble = y + high + 24, bubble + 1
    return sheet.image


def receipt(seed: int, changed: bool = False) -> Image.Image:
    sheet = Sheet(seed, changed, (576, 1400))
    sheet.text(180, 40, "CORNER SHOP", 32)
    sheet.text(150, 90, "12 High Street", 24)
    field = sheet.pick(26)
    for row in range(26):
        y = 180 + row * 40
        sheet.text(40, y, sheet.words(2), 24)
        price = sheet.number(4, row == field)
        sheet.text(430, y, f"{price[:2]}.{price[2:]}", 24)
    sheet.text(40, 1280, "TOTAL", 34)
    sheet.text(400, 1280, sheet.number(5), 34)
    return sheet.image


def qr(seed: int, changed: bool = False) -> Image.Image:
    """Modules at random inside the fixed patterns; the field is one codeword, eight modules."""
    random = np.random.default_rng(seed)
    side, scale = 33, 6 + seed % 7
    modules = random.random((side, side)) < 0.5
    if changed:
        x, y = random.integers(10, 22, 2)
        block = modules[y : y + 4, x : x + 2]
        modules[y : y + 4, x : x + 2] = block ^ (random.random(block.shape) < 0.5)
        modules[y, x] ^= block.any() or True
    eye = np.zeros((8, 8), bool)
    eye[:7, :7] = True
    eye[1:6, 1:6] = False
    eye[2:5, 2:5] = True
    modules[:8, :8], modules[:8, -8:], modules[-8:, :8] = eye, eye[:, ::-1], eye[::-1]
    pixels = np.pad(np.where(modules, 0, 255).astype(np.uint8), 4, constant_values=255)
    return Image.fromarray(pixels.repeat(scale, 0).repeat(scale, 1)).convert("RGB")


def bar_code(seed: int, changed: bool = False) -> Image.Image:
    sheet = Sheet(seed, changed, (700, 320))
    digits = sheet.number(10) + sheet.number(2, field=True)
    x = 60
    for digit in "7" + digits + "3":
        widths = np.random.default_rng(int(digit)).permutation([1, 1, 2, 3])[:4]
        for i, width in enumerate(widths):
            if i % 2 == 0:
                sheet.pen.rectangle((x, 40, x + width * 6 - 1, 230), "black")
            x += int(width) * 6
    sheet.text(220, 250, digits, 36)
    return sheet.image


def number_sheet(seed: int, changed: bool = False) -> Image.Image:
    sheet = Sheet(seed, changed, (1240, 900))
    field = sheet.pick(200)
    for cell in range(240):
        row, column = divmod(cell, 8)
        x, y = 20 + column * 150, 16 + row * 29
        sheet.pen.rectangle((x, y, x + 150, y + 29), outline=(190, 190, 190))
        sheet.text(x + 50, y + 4, sheet.number(5, cell == field), 18)
    return sheet.image


def code(seed: int, changed: bool = False) -> Image.Image:
    sheet = Sheet(seed, changed, (1920, 1080), (30, 30, 30))
    field, colours = sheet.pick(40), [(86, 156, 214), (206, 145, 120), (181, 206, 168), (220,) * 3]
    indent = 0
    for line in range(44):
        indent = max(0, min(6, indent + sheet.pick(3) - 1))
        x = 90 + indent * 40
        sheet.text(30, 12 + line * 24, str(line + 1), 18, (110, 110, 110))
        for _ in range(sheet.pick(7)):
            word = sheet.words(1)
            sheet.text(x, 12 + line * 24, word, 18, colours[sheet.pick(4)])
            x += font(18).getlength(word) + 12
        if line == field:
            sheet.text(x, 12 + line * 24, "= " + sheet.number(5, True), 18, colours[2])
    return sheet.image


def bar_chart(seed: int, changed: bool = False) -> Image.Image:
    sheet = Sheet(seed, changed, (1000, 600))
    field = sheet.pick(12)
    for tick in range(6):
        sheet.pen.line((80, 520 - tick * 90, 960, 520 - tick * 90), (210, 210, 210))
        sheet.text(30, 510 - tick * 90, str(tick * 20), 18)
    for bar in range(12):
        high = 40 + sheet.pick(400)
        high += 8 if changed and bar == field else 0
        left = 100 + bar * 72
        sheet.pen.rectangle((left, 520 - high, left + 48, 520), (31, 119, 180))
        sheet.text(left + 10, 530, f"{bar + 1}", 18)
    return sheet.image


def line_chart(seed: int, changed: bool = False) -> Image.Image:
    sheet = Sheet(seed, changed, (1000, 600))
    for tick in range(6):
        sheet.pen.line((80, 520 - tick * 90, 960, 520 - tick * 90), (225, 225, 225))
    for colour in ((31, 119, 180), (255, 127, 14), (44, 160, 44)):
        at = 300 + np.cumsum(sheet.random.normal(0, 14, 45))
        at = np.clip(at, 70, 515)
        if changed and colour[0] == 255:
            at[20] += 12
        points = [(90 + i * 19, float(value)) for i, value in enumerate(at)]
        sheet.pen.line(points, colour, 2)
    return sheet.image


def slide(seed: int, changed: bool = False) -> Image.Image:
    sheet = Sheet(seed, changed, (1920, 1080))
    sheet.pen.rectangle((0, 0, 1920, 150), (0, 60, 120))
    sheet.text(80, 40, sheet.words(4).title(), 64, "white")
    field = sheet.pick(6)
    for line in range(6):
        words = sheet.words(6)
        if line == field:
            words += " " + sheet.number(2, True)
        sheet.text(140, 240 + line * 120, "- " + words, 44)
    return sheet.image


def music(seed: int, changed: bool = False) -> Image.Image:
    sheet = Sheet(seed, changed, (1240, 1754))
    field = sheet.pick(200)
    for staff in range(10):
        top = 150 + staff * 155
        for line in range(5):
            sheet.pen.line((90, top + line * 12, 1150, top + line * 12), INK)
        for note in range(24):
            x, step = 130 + note * 42, sheet.pick(9)
            step = (step + 1) if changed and staff * 24 + note == field else step
            y = top + 48 - step * 6
            sheet.pen.ellipse((x, y - 6, x + 14, y + 6), INK)
            sheet.pen.line((x + 13, y, x + 13, y - 42), INK, 2)
    return sheet.image


def plate(seed: int, changed: bool = False) -> Image.Image:
    sheet = Sheet(seed, changed, (800, 400), (90, 95, 105))
    shade = Image.linear_gradient("L").resize((800, 400))
    sheet.image.paste((50, 52, 60), mask=shade)
    sheet.pen.rounded_rectangle((180, 150, 620, 250), 10, "white", "black", 4)
    letters = "".join(sheet.random.choice(list("ABCDEFGHKLMNPRSTUVWXYZ"), 4))
    sheet.text(200, 155, f"{letters[:2]} {letters[2:]} {sheet.number(3)}", 76)
    if changed:
        sheet.pen.rectangle((520, 160, 612, 242), "white")
        sheet.text(525, 155, str(np.random.default_rng(seed).integers(10, 99)), 76)
    return sheet.image


def ticket(seed: int, changed: bool = False) -> Image.Image:
    sheet = Sheet(seed, changed, (1000, 420), (250, 244, 230))
    sheet.pen.rectangle((10, 10, 989, 409), outline=(160, 30, 30), width=5)
    sheet.text(60, 40, "GRAND THEATRE", 54, (160, 30, 30))
    sheet.text(60, 130, "The evening performance, doors at seven", 26)
    for i, name in enumerate(("Row", "Seat", "Number")):
        sheet.text(60 + i * 240, 220, name, 24)
        sheet.text(60 + i * 240, 260, sheet.number((2, 2, 6)[i], field=name == "Seat"), 40)
    return sheet.image


def payslip(seed: int, changed: bool = False) -> Image.Image:
    sheet = Sheet(seed, changed, (1654, 2339))
    sheet.text(120, 100, "Statement of earnings", 44)
    sheet.text(120, 180, "Employee 40718   Department of works", 28)
    fixed, field = np.random.default_rng(3), sheet.pick(30)
    for row in range(30):
        y = 300 + row * 62
        sheet.text(120, y, " ".join(fixed.choice(WORDS, 3)), 26)
        amount = str(fixed.integers(10000, 99999))
        amount = sheet.number(5, True) if row == field else amount
        sheet.text(1300, y, f"{amount[:3]}.{amount[3:]}", 26)
        sheet.pen.line((120, y + 46, 1500, y + 46), (200, 200, 200))
    return sheet.image


KINDS: dict[str, Callable[..., Image.Image]] = {
    "pages of text": page,
    "small print": small_print,
    "forms": form,
    "chats": chat,
    "receipts": receipt,
    "QR codes": qr,
    "bar codes": bar_code,
    "number sheets": number_sheet,
    "screens of code": code,
    "bar charts": bar_chart,
    "line charts": line_chart,
    "slides": slide,
    "sheet music": music,
    "plates": plate,
    "tickets": ticket,
    "payslips": payslip,
}
