"""Charts as SVG text, without a library: lines over tokens, and shaded tables of domain and expert."""

from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM = 720, 300, 48, 36
COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#222222")
HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{}" height="{}" font-family="sans-serif" font-size="11">'
    '<rect width="100%" height="100%" fill="white"/>'
)


def lines(title: str, x_name: str, series: dict[str, list[tuple[float, float]]], ticks: list[float], x_step: float) -> str:
    """One line a series, points (x, y); x begins at 0; y is cut to the first and last tick."""
    low, high = ticks[0], ticks[-1]
    most = max(x for points in series.values() for x, _ in points) or 1.0
    width, height = WIDTH - LEFT - 110, HEIGHT - BOTTOM - 24

    def at(x: float, y: float) -> tuple[float, float]:
        return LEFT + x / most * width, 24 + (1 - (min(max(y, low), high) - low) / (high - low)) * height

    out = [HEAD.format(WIDTH, HEIGHT), f'<text x="{LEFT}" y="14" font-size="13">{escape(title)}</text>']
    for y in ticks:
        _, py = at(0, y)
        out.append(
            f'<path d="M{LEFT} {py:.1f}H{LEFT + width}" stroke="#ddd"/>'
            f'<text x="{LEFT - 6}" y="{py + 4:.1f}" text-anchor="end">{y:g}</text>'
        )
    for i in range(int(most / x_step) + 1):
        px, _ = at(i * x_step, low)
        out.append(f'<text x="{px:.1f}" y="{HEIGHT - 18}" text-anchor="middle">{i * x_step:g}</text>')
    out.append(f'<text x="{LEFT + width / 2}" y="{HEIGHT - 4}" text-anchor="middle">{escape(x_name)}</text>')
    for i, (name, points) in enumerate(series.items()):
        colour = COLOURS[i % len(COLOURS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in points))
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        out.append(f'<text x="{LEFT + width + 8}" y="{34 + 14 * i}" fill="{colour}">{escape(name)}</text>')
    return "".join(out) + "</svg>\n"


CELL_WIDTH, CELL_HEIGHT, SHADES = 9, 12, 8


def routing(layers: list[dict], domains: list[str]) -> str:
    """One grid a layer: rows are domains, columns experts by the domain that uses them most; dark is 8 % of a domain's slots and more."""
    experts = len(layers[0]["table"][0])
    out, y, cells = [], 18, [""] * (SHADES + 1)
    for layer in layers:
        table = layer["table"]
        title = f"layer {layer['layer']}: {layer['mi']:.2f} bit shared with the domain (shuffled {layer['shuffled']:.2f})"
        out.append(f'<text x="60" y="{y - 4}">{title}</text>')
        columns = sorted(range(experts), key=lambda e: (max(range(len(domains)), key=lambda d: table[d][e]), -max(row[e] for row in table)))
        for domain, row in zip(domains, table, strict=True):
            out.append(f'<text x="4" y="{y + 10}">{domain}</text>')
            for j, expert in enumerate(columns):
                shade = min(SHADES, round(row[expert] * 100))
                cells[shade] += f"M{60 + j * CELL_WIDTH} {y}h{CELL_WIDTH - 1}v{CELL_HEIGHT - 1}h{1 - CELL_WIDTH}z"
            y += CELL_HEIGHT
        y += 24
    for shade, path in enumerate(cells):
        if shade and path:
            out.append(f'<path d="{path}" fill="rgb({255 - 27 * shade},{255 - 21 * shade},{255 - 12 * shade})"/>')
    return HEAD.format(70 + experts * CELL_WIDTH, y) + "".join(out) + "</svg>\n"
