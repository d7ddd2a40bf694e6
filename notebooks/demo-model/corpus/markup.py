"""HTML and Mallard pages to plain text: no scripts, no navigation, preformatted text as it is."""

import html
import re

BLOCK = re.compile(
    r"</?(?:p|div|li|ul|ol|dl|dt|dd|h[1-6]|br|tr|table|pre|section|title|page|item|steps|note|desc|listitem|para)\b[^>]*>", re.I
)
DROPPED = re.compile(r"<!--.*?-->|<(script|style|head|nav|footer|info|svg)\b.*?</\1\s*>", re.I | re.S)
NAVIGATION = re.compile(
    r"<(?:div|table)[^>]*class=\"(?:navheader|navfooter|related|sphinxsidebar|header|footer|toc|mobile-nav)[^>]*>.*?</(?:div|table)>",
    re.I | re.S,
)
TAG = re.compile(r"<[^>]+>")


def plain(source: str) -> str:
    """One line a block element; \\x01N\\x02 holds the place of the N-th preformatted part while white space is folded."""
    body = re.search(r"<body\b.*", source, re.I | re.S)
    text = NAVIGATION.sub(" ", DROPPED.sub(" ", body[0] if body else source))
    kept: list[str] = []

    def keep(match: re.Match) -> str:
        kept.append(html.unescape(TAG.sub("", match[0])))
        return f"\n\x01{len(kept) - 1}\x02\n"

    text = re.sub(r"<pre\b.*?</pre>", keep, text, flags=re.I | re.S)
    text = BLOCK.sub("\n", re.sub(r"\s+", " ", text))
    text = html.unescape(TAG.sub("", text)).replace("\xa0", " ")
    text = "\n".join(line.strip() for line in text.split("\n"))
    return re.sub(r"\x01(\d+)\x02", lambda match: kept[int(match[1])].strip("\n"), text)
