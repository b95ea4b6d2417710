"""The page around the HTML report: styles for light and dark, and one script."""

from __future__ import annotations

from typing import Final

PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
:root {
  --ground: #f6f7f9; --card: #fff; --ink: #17202e; --quiet: #5c6878; --rule: #dfe3e9;
  --a: #1d63c9; --b: #c2570c; --c: #8a94a3; --good: #11734b; --bad: #b3261e; --shade: #eef0f4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f141b; --card: #171e28; --ink: #e6ebf2; --quiet: #93a0b2; --rule: #2a3442;
    --a: #6aa8ff; --b: #ffa05c; --c: #7d899a; --good: #5bd19b; --bad: #ff8a80; --shade: #1d2632;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 60rem;
  background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif;
}
h1 { margin: 0; font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 0; font-size: 1.05rem; }
h3 { margin: 0; font-size: .8rem; font-weight: 500; color: var(--quiet); }
p { margin: .25rem 0; }
.quiet { color: var(--quiet); font-size: .9rem; }
section { margin-top: 1rem; padding: 1.1rem 1.25rem; background: var(--card); border: 1px solid var(--rule);
  border-radius: 10px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1rem; }
.tiles b { display: block; font-size: 1.45rem; line-height: 1.35; font-variant-numeric: tabular-nums; }
.tiles span { color: var(--quiet); font-size: .85rem; font-variant-numeric: tabular-nums; }
.verdict { border-left: 5px solid var(--good); }
.verdict h2 { color: var(--good); }
.verdict.bad { border-left-color: var(--bad); }
.verdict.bad h2 { color: var(--bad); }
.verdict ul { margin: .4rem 0; padding-left: 1.2rem; }
.beware { color: var(--bad); }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.3rem; margin: .5rem 0 0; padding: 0; list-style: none;
  font-size: .85rem; color: var(--quiet); }
.legend li::before { content: ""; display: inline-block; width: 1.1rem; height: 3px; margin-right: .45rem;
  border-radius: 2px; vertical-align: middle; background: currentColor; }
.legend .a::before { background: var(--a); }
.legend .b::before { background: var(--b); }
.legend .c::before { background: var(--c); }
svg { display: block; width: 100%; height: auto; margin-top: .6rem; }
.grid { stroke: var(--rule); }
.tick { stroke: var(--c); }
.shade { fill: var(--shade); }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.line.a { stroke: var(--a); } .line.b { stroke: var(--b); } .line.c { stroke: var(--c); stroke-width: 1.5; }
.dot.a { fill: var(--a); } .dot.b { fill: var(--b); }
.bar { fill: var(--a); }
.cursor { stroke: var(--quiet); stroke-dasharray: 3 3; visibility: hidden; }
.over { fill: transparent; }
svg text { fill: var(--quiet); font: 12px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
text.x { text-anchor: middle; } text.y { text-anchor: end; }
table { margin-top: .8rem; border-collapse: collapse; width: 100%; display: flex; flex-wrap: wrap; }
tbody { display: flex; flex-wrap: wrap; gap: .2rem 1.8rem; }
th { font-weight: 500; color: var(--quiet); padding: 0 .6rem 0 0; text-align: left; }
td { padding: 0; font-variant-numeric: tabular-nums; }
#tip { position: fixed; z-index: 1; padding: .35rem .6rem; border-radius: 6px; pointer-events: none;
  background: var(--ink); color: var(--ground); font-size: .8rem; white-space: pre; visibility: hidden;
  font-variant-numeric: tabular-nums; }
</style>
{body}
<div id="tip" role="status"></div>
<script>
// Shows the numbers of the point that is nearest to the pointer.
const tip = document.getElementById("tip");
for (const area of document.querySelectorAll(".over")) {
  const svg = area.ownerSVGElement;
  const cursor = svg.querySelector(".cursor");
  const labels = JSON.parse(area.dataset.labels);
  const show = (visibility) => {
    tip.style.visibility = visibility;
    if (cursor) cursor.style.visibility = visibility;
  };
  area.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const scale = box.width / svg.viewBox.baseVal.width;
    const x = (event.clientX - box.left) / scale;
    let nearest = labels[0];
    for (const label of labels) if (Math.abs(label[0] - x) < Math.abs(nearest[0] - x)) nearest = label;
    tip.textContent = nearest[1];
    const left = box.left + nearest[0] * scale + 12;
    tip.style.left = `${Math.min(left, innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${event.clientY + 14}px`;
    if (cursor) for (const end of ["x1", "x2"]) cursor.setAttribute(end, nearest[0]);
    show("visible");
  });
  area.addEventListener("pointerleave", () => show("hidden"));
}
</script>
</html>
"""
