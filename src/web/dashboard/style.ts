/**
 * The style sheet of the dashboard: light and dark, from a phone's width on, without any file beside it. Colours meet WCAG AA on
 * the grounds on which they are used. Kept by hand below 12 KB.
 */

/** CSS. */
export const STYLE = `:root {
  color-scheme: light dark;
  --ground: #f6f6f4; --panel: #fff; --ink: #1c2024; --soft: #59616a; --line: #dcdfe3; --stripe: #f1f2f4;
  --link: #0a55ad; --focus: #0a55ad; --ok: #17703c; --warn: #8a5200; --bad: #b3241c; --note: #4b4f9e;
  --ok-ground: #e9f5ee; --warn-ground: #fdf3e1; --bad-ground: #fdecea; --note-ground: #eeeefb;
  --done: #3d9a66; --failed: #c8463d;
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171a; --panel: #1b1f23; --ink: #e3e6ea; --soft: #9ba5b0; --line: #30363d; --stripe: #20252a;
    --link: #82b6f5; --focus: #82b6f5; --ok: #66c98f; --warn: #e3b355; --bad: #ff938a; --note: #b0b4ff;
    --ok-ground: #16291f; --warn-ground: #2e2615; --bad-ground: #351c1b; --note-ground: #22243a;
    --done: #4aa873; --failed: #e06c62;
  }
}
*, ::before, ::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--ground); color: var(--ink); overflow-wrap: anywhere; }
a { color: var(--link); text-underline-offset: .15em; text-decoration-thickness: 1px; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 2px; }
main:focus { outline: none; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--panel); padding: .5rem 1rem; z-index: 2; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.soft { color: var(--soft); font-weight: 400; }

header, main, footer { max-width: 78rem; margin: 0 auto; padding: 0 1.25rem; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 1.5rem; padding-top: .75rem; }
header p { margin: 0; }
.brand { font-weight: 650; font-size: 1.05rem; }
.brand span { margin-left: .5em; font-size: .85rem; }
header .user { margin-left: auto; color: var(--soft); font-size: .85rem; }
header nav { order: 3; width: 100%; border-bottom: 1px solid var(--line); }
nav ul { display: flex; flex-wrap: wrap; gap: 0 1.25rem; list-style: none; margin: .35rem 0 0; padding: 0; }
nav ul a { display: block; padding: .35rem 0; color: var(--soft); text-decoration: none; border-bottom: 2px solid transparent; }
nav ul a:hover { color: var(--ink); border-color: var(--line); }
nav ul a[aria-current] { color: var(--ink); font-weight: 600; border-color: var(--link); }
main { padding-top: 1.1rem; padding-bottom: 3rem; }
h1 { font-size: 1.5rem; line-height: 1.25; font-weight: 650; margin: 0 0 .75rem; letter-spacing: -.01em; }
h2 { font-size: 1rem; font-weight: 650; margin: 1.75rem 0 .5rem; }
p { margin: .4rem 0; }

.state { white-space: nowrap; font-weight: 600; }
.state > span { font-size: .8em; }
.state.ok { font-weight: 400; }
.ok > .state, .state.ok { color: var(--ok); }
.state.warn { color: var(--warn); }
.state.bad { color: var(--bad); }
.state.note { color: var(--note); }

.verdict, .outcome, .notes, .problem { border: 1px solid var(--line); border-left: 4px solid var(--line); background: var(--panel); border-radius: 4px; padding: .55rem .9rem; margin: .5rem 0; }
.verdict.ok { border-left-color: var(--ok); }
.verdict.ok > span { color: var(--ok); }
.verdict.warn, .problem.warn { border-left-color: var(--warn); background: var(--warn-ground); }
.verdict.bad, .problem.bad { border-left-color: var(--bad); background: var(--bad-ground); }
.verdict.note, .problem.note { border-left-color: var(--note); background: var(--note-ground); }
.outcome { border-left-color: var(--ok); background: var(--ok-ground); font-weight: 600; }
.outcome.failed, .outcome.refused { border-left-color: var(--bad); background: var(--bad-ground); }
.notes { border-left-color: var(--warn); background: var(--warn-ground); }
ul.notes { padding-left: 1.75rem; }
.problems ol, .problems-list { list-style: none; margin: 0; padding: 0; }
.problem p { margin: .1rem 0; }
.problem .name { font-weight: 650; font-size: 1.05rem; margin-right: .4rem; }
.do { color: var(--ink); }
.error { overflow-wrap: anywhere; }
.error b { font-weight: 600; }
.empty { color: var(--soft); margin: .5rem 0; }

code, pre { font: .87em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
code { overflow-wrap: anywhere; }
pre, .command { display: block; background: var(--panel); border: 1px solid var(--line); border-radius: 4px; padding: .5rem .75rem; margin: .4rem 0; }
pre { overflow: auto; max-height: 32rem; white-space: pre-wrap; }
button.copy { float: right; margin: -.1rem -.4rem -.1rem .5rem; font-size: .8rem; padding: 0 .5rem; }

.numbers { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); gap: .6rem; margin: 1rem 0; }
.number { background: var(--panel); border: 1px solid var(--line); border-radius: 4px; padding: .5rem .8rem .55rem; min-width: 0; }
.number dt { color: var(--soft); font-size: .85rem; }
.number dd { margin: 0; }
.number b { display: block; font-size: 1.55rem; line-height: 1.25; font-weight: 600; font-variant-numeric: tabular-nums; letter-spacing: -.01em; }
.number b a { color: inherit; text-decoration-color: var(--line); }
.number dd > span { font-size: .85rem; }
.number.warn b { color: var(--warn); }
.number.bad b { color: var(--bad); }

.facts { margin: .75rem 0; background: var(--panel); border: 1px solid var(--line); border-radius: 4px; }
.facts > div { display: grid; grid-template-columns: minmax(8rem, 14rem) 1fr; gap: .75rem; padding: .3rem .8rem; }
.facts > div + div { border-top: 1px solid var(--line); }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; }

.scroll { overflow-x: auto; background: var(--panel); border: 1px solid var(--line); border-radius: 4px; position: relative; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; overflow-wrap: normal; }
caption { text-align: left; padding: .4rem .8rem; color: var(--soft); }
th, td { text-align: left; padding: .32rem .8rem; vertical-align: baseline; }
thead th { color: var(--soft); font-weight: 500; font-size: .85rem; white-space: nowrap; border-bottom: 1px solid var(--line); }
tbody th { font-weight: 500; }
tbody tr + tr > * { border-top: 1px solid var(--line); }
tbody tr:hover { background: var(--stripe); }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td time, th time { white-space: nowrap; }
td > .error { display: block; min-width: 15rem; }
td:has(> .error) { width: 60%; }
tr.handled > * { color: var(--soft); }
.actions { white-space: nowrap; }
td > .buttons { margin: 0; }
.spark { width: 4.5rem; height: 1.1em; vertical-align: -.2em; margin-right: .35rem; }
.spark path { fill: none; stroke: var(--done); stroke-width: 1.5; vector-effect: non-scaling-stroke; }

.chart { margin: .5rem 0; background: var(--panel); border: 1px solid var(--line); border-radius: 4px; padding: .6rem .9rem; }
.chart figcaption { display: flex; flex-wrap: wrap; gap: 0 1.25rem; font-size: .9rem; }
.chart svg { display: block; width: 100%; height: 8.5rem; margin: .4rem 0 .2rem; }
.bars-done { fill: var(--done); }
.bars-failed { fill: var(--failed); }
.axis { stroke: var(--soft); stroke-width: 1; vector-effect: non-scaling-stroke; fill: none; }
.key::before { content: "▲"; color: var(--done); font-size: .7em; margin-right: .4em; }
.key-failed::before { content: "▼"; color: var(--failed); }
.scale { display: flex; justify-content: space-between; font-size: .8rem; }

.errors { list-style: none; margin: 0; padding: 0; background: var(--panel); border: 1px solid var(--line); border-radius: 4px; }
.errors li { padding: .35rem .8rem; }
.errors li + li { border-top: 1px solid var(--line); }
.errors a { margin-right: .3rem; }

button, .button { font: inherit; font-size: .9rem; color: var(--panel); background: var(--link); border: 1px solid var(--link); border-radius: 4px; padding: .25rem .7rem; cursor: pointer; text-decoration: none; display: inline-block; max-width: 100%; }
button:hover, .button:hover { filter: brightness(1.1); }
button.quiet, .button.quiet, .filter button, button.copy, .live button { color: var(--ink); background: var(--panel); border-color: var(--soft); }
button:disabled { opacity: .6; cursor: default; }
td .button, td button { padding: .1rem .5rem; font-size: .85rem; }
input, select { font: inherit; font-size: .92rem; color: var(--ink); background: var(--panel); border: 1px solid var(--soft); border-radius: 4px; padding: .2rem .45rem; max-width: 100%; }
input[type=checkbox] { width: 1.05rem; height: 1.05rem; vertical-align: -.15rem; accent-color: var(--link); margin: 0 .15rem 0 0; }
.filter { display: flex; flex-wrap: wrap; align-items: center; gap: .4rem 1rem; margin: .6rem 0; font-size: .92rem; }
.forms { display: flex; flex-wrap: wrap; gap: 0 2rem; align-items: center; }
.buttons { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem .9rem; margin: .7rem 0; }
.pager { display: flex; gap: 1.25rem; margin: .6rem 0; }
.ask summary { cursor: pointer; color: var(--link); }
.ask form { border: 1px solid var(--line); background: var(--panel); border-radius: 4px; padding: .5rem .8rem; margin: .3rem 0; white-space: normal; }
.consequences { background: var(--panel); border: 1px solid var(--line); border-radius: 4px; padding: .6rem .9rem .6rem 2rem; }
.live { display: flex; gap: .75rem; align-items: baseline; color: var(--soft); font-size: .85rem; order: 1; margin-left: auto; }
.live + .user, .user:has(~ .live) { margin-left: 0; order: 2; }
.live button { padding: 0 .5rem; font-size: .8rem; }
.live.late { color: var(--bad); font-weight: 600; }

@media (max-width: 62rem) { .numbers { grid-template-columns: repeat(3, 1fr); } }
@media (max-width: 40rem) {
  header, main, footer { padding-left: .8rem; padding-right: .8rem; }
  h1 { font-size: 1.3rem; }
  th, td { padding: .35rem .55rem; }
  .numbers { grid-template-columns: 1fr 1fr; gap: .4rem; }
  .number b { font-size: 1.25rem; }
  .facts > div { grid-template-columns: 1fr; gap: 0; }
  nav ul { gap: 0 1rem; }
  nav ul a { padding: .5rem 0; }
  button, .button, input, select { min-height: 2.2rem; }
  .copy, .live button { min-height: 0; }
  .live:not(.late) span { position: absolute; clip-path: inset(50%); }
}
@media print { header nav, .skip, form, .live { display: none; } body { background: #fff; } }
`;
