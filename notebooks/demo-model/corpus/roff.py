"""Manual pages to plain text: the few requests and escapes that carry words, no layout."""

import re

ESCAPES = {
    r"\(aq": "'", r"\(dq": '"', r"\(lq": '"', r"\(rq": '"', r"\(en": "-", r"\(em": "-", r"\(bu": "*", r"\(co": "©", r"\(ha": "^",
    r"\(ti": "~", r"\(rs": "\\", r"\(la": "<", r"\(ra": ">", r"\(<=": "<=", r"\(>=": ">=", r"\(->": "->", r"\(mu": "x", r"\(Fo": "«",
    r"\(Fc": "»", r"\(Bq": "„", r"\(oq": "‘", r"\(cq": "’", r"\-": "-", r"\&": "", r"\|": "", r"\^": "", r"\/": "", r"\,": "",
    r"\%": "", r"\:": "", r"\ ": " ", r"\~": " ", r"\e": "\\", r"\(ga": "`", r"\'": "'", r"\`": "`", r"\0": " ",
}  # fmt: skip
PARAGRAPH = ("PP", "P", "LP", "TP", "IP", "TQ", "sp", "Pp")
HEADING = ("SH", "SS", "Sh", "Ss")
FONT = ("B", "I", "SM", "SB")
TWO_FONTS = ("BR", "IR", "RB", "RI", "BI", "IB")


def plain(source: str) -> str:
    """The page's text; paragraphs are filled where the page ends in fill mode."""
    out, fill = [], True
    for line in source.split("\n"):
        if not line.startswith((".", "'")):
            out.append(line)
            continue
        match = re.match(r"[.']\s*(\w+)\s*(.*)", line)
        if not match:
            continue  # a comment
        name, argument = match.groups()
        if name in ("nf", "EX"):
            fill = False
        elif name in ("fi", "EE"):
            fill = True
        out += request(name, argument)
    text = unescape("\n".join(out))
    return re.sub(r"(?<=[^\n])\n(?=[^\n])", " ", text) if fill else text


def request(name: str, argument: str) -> list[str]:
    """The lines that a request leaves; none for those about layout."""
    if name in HEADING:
        return ["\n" + argument.strip('"') + "\n"]
    if name in PARAGRAPH:
        tag = [argument.split()[0].strip('"')] if name == "IP" and argument else []
        return ["\n", *tag]
    if name in FONT:
        return [argument.strip('"')]
    if name in TWO_FONTS:
        return ["".join(word.strip('"') for word in re.findall(r'"[^"]*"|\S+', argument))]
    return []


def unescape(text: str) -> str:
    text = re.sub(r"\\f(\[[^\]]*\]|\(..|.)", "", text)  # fonts
    text = re.sub(r"\\s[+-]?\d", "", text)  # sizes
    text = re.sub(r"\\\[u([0-9A-F]{4})\]", lambda code: chr(int(code[1], 16)), text)
    text = re.sub(r"\\\[(..)\]", r"\\(\1", text)
    text = re.sub(r'\\".*', "", text)  # comments
    return re.sub(r"\\\(..|\\.", lambda escape: ESCAPES.get(escape[0], ""), text)
