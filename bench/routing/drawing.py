"""The picture of a simulated quarter, as SVG that can be read in light and in dark."""

from collections.abc import Callable, Mapping, Sequence

WIDTH, LEFT, RIGHT = 860, 64, 24
PANEL, GAP, TOP = 190, 46, 64
STYLE = """
  svg { background: #ffffff; font: 13px system-ui, sans-serif; }
  text { fill: #1f2933; } .soft { fill: #52606d; } .grid { stroke: #d9dee4; } .axis { stroke: #52606d; }
  .l0 { stroke: #0b62b8; } .l1 { stroke: #b34700; stroke-dasharray: 7 4; } .l2 { stroke: #6f42a8; stroke-dasharray: 2 4; }
  .target { stroke: #9f1239; stroke-dasharray: 12 4; } .turn { fill: #52606d; opacity: .1; } .alarm { fill: #9f1239; }
  polyline, .key { fill: none; stroke-width: 2.5; stroke-linecap: round; stroke-linejoin: round; }
  @media (prefers-color-scheme: dark) {
    svg { background: #14181d; } text { fill: #e6eaee; } .soft { fill: #a9b4bf; } .grid { stroke: #333c46; }
    .axis { stroke: #a9b4bf; } .l0 { stroke: #63b0ff; } .l1 { stroke: #ffa15c; } .l2 { stroke: #c6a2f7; }
    .target { stroke: #ff8aa0; } .turn { fill: #a9b4bf; } .alarm { fill: #ff8aa0; }
  }
"""

Weeks = Sequence[tuple[float | None, float]]
"""The rate of error and the share answered alone in each week; no rate where next to nothing was."""


def picture(ways: Mapping[str, Weeks], *, target: float, turn: float, alarms: Sequence[float]) -> str:
    """Errors above, shares below, a line for each way; `turn` and `alarms` in weeks from the start."""
    weeks = len(next(iter(ways.values())))
    height = TOP + 2 * PANEL + GAP + 48

    def across(week: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * week / weeks

    peak = max(error for way in ways.values() for error, _ in way if error is not None)
    top = max(2 * target, -(-peak // 0.05) * 0.05)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="t d">',
        '<title id="t">A quarter in which new topics come in week 7</title>',
        f'<desc id="d">{_told(ways)}</desc>',
        f"<style>{STYLE}</style>",
        *_keys(list(ways)),
        f'<rect class="turn" x="{across(turn):.1f}" y="{TOP}" width="{across(weeks) - across(turn):.1f}" '
        f'height="{2 * PANEL + GAP}"/>',
        f'<text class="soft" x="{across(turn) + 6:.1f}" y="{TOP + 16}">topics come that the AI has never seen</text>',
    ]
    upper = _panel(parts, TOP, top, 0.05, "wrong, of what was answered alone", across, weeks)
    parts.append(f'<line class="target" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{upper(target):.1f}" y2="{upper(target):.1f}"/>')
    parts.append(f'<text class="soft" x="{LEFT + 6}" y="{upper(target) - 5:.1f}">target {target:.0%}</text>')
    lower = _panel(parts, TOP + PANEL + GAP, 1.0, 0.25, "answered alone, of all messages", across, weeks)
    for at, panel in ((0, upper), (1, lower)):
        for index, way in enumerate(ways.values()):
            parts.append(_line(f"l{index}", [(across(week + 0.5), values[at]) for week, values in enumerate(way)], panel))
    base = TOP + PANEL
    for alarm in alarms:
        x = across(alarm)
        parts.append(f'<path class="alarm" d="M{x:.1f} {base - 12} l6 11 h-12 z"><title>alarm</title></path>')
    parts += [
        f'<text x="{across(week + 0.5):.1f}" y="{height - 28}" text-anchor="middle">{week + 1}</text>' for week in range(weeks)
    ]
    parts.append(f'<text class="soft" x="{across(weeks / 2):.1f}" y="{height - 8}" text-anchor="middle">week</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _keys(names: Sequence[str]) -> list[str]:
    parts: list[str] = []
    x = LEFT
    for index, name in enumerate(names):
        parts.append(f'<line class="key l{index}" x1="{x}" x2="{x + 34}" y1="22" y2="22"/>')
        parts.append(f'<text x="{x + 42}" y="26">{name}</text>')
        x += 76 + 7 * len(name)
    parts.append(f'<path class="alarm" d="M{x + 6} 16 l6 11 h-12 z"/><text x="{x + 20}" y="26">alarm</text>')
    return parts


def _panel(
    parts: list[str], y: int, top: float, step: float, name: str, across: Callable[[float], float], weeks: int
) -> Callable[[float], float]:
    """Draw the axes of a panel; returns where a value lies in it."""

    def up(value: float) -> float:
        return y + PANEL - PANEL * value / top

    parts.append(f'<text x="{LEFT}" y="{y - 8}">{name}</text>')
    for index in range(round(top / step) + 1):
        value = index * step
        kind = "axis" if index == 0 else "grid"
        parts.append(f'<line class="{kind}" x1="{LEFT}" x2="{across(weeks):.1f}" y1="{up(value):.1f}" y2="{up(value):.1f}"/>')
        parts.append(f'<text class="soft" x="{LEFT - 8}" y="{up(value) + 4:.1f}" text-anchor="end">{value:.0%}</text>')
    return up


def _line(kind: str, points: Sequence[tuple[float, float | None]], up: Callable[[float], float]) -> str:
    """One line, broken where there is no value."""
    runs: list[list[str]] = [[]]
    for x, value in points:
        if value is None:
            runs.append([])
        else:
            runs[-1].append(f"{x:.1f},{up(value):.1f}")
    return "".join(f'<polyline class="{kind}" points="{" ".join(run)}"/>' for run in runs if run)


def _told(ways: Mapping[str, Weeks]) -> str:
    """The picture in words, for those who hear it."""
    last = {name: weeks[-1] for name, weeks in ways.items()}
    return "In the last week: " + "; ".join(
        f"{name}: {error or 0:.0%} wrong, {share:.0%} answered alone" for name, (error, share) in last.items()
    )
