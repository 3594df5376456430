/* report_assets.h: the style and the script of the report page, one C string per line.  Part of report.h. */
#ifndef REPORT_ASSETS_H
#define REPORT_ASSETS_H

static const char *const report_css[] = {
    ":root { color-scheme: light dark; --ink: #1f2328; --soft: #59636e; --line: #dfe3e8; --bg: "
    "#ffffff; --card: #f7f8f9; --accent: #0b5cad;\n",
    " --yes: #0b5cad; --yes-bg: #e6f1fb; --no: #a04000; --no-bg: #fdeee0; --part: #6b3fa0; "
    "--part-bg: #f3ecfb; --open: #4b5563;\n",
    "  --open-bg: #eef0f3;\n",
    " --serif: Charter, 'Bitstream Charter', 'Source Serif 4', 'Sitka Text', Cambria, Georgia, "
    "'Noto Serif', 'Liberation Serif', serif;\n",
    " --sans: system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif;\n",
    " --mono: ui-monospace, SFMono-Regular, 'SF Mono', Menlo, Consolas, 'Liberation Mono', 'DejaVu "
    "Sans Mono', monospace; }\n",
    "@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #a3acb6; --line: "
    "#30363d; --bg: #14171b; --card: #1b1f24;\n",
    "  --accent: #6cb2f7;\n",
    " --yes: #8cc4fa; --yes-bg: #14304b; --no: #ffb27a; --no-bg: #46260c; --part: #cdb0f0; "
    "--part-bg: #33234a; --open: #b6bec8;\n",
    "  --open-bg: #2a3037; } }\n",
    "* { box-sizing: border-box; }\n",
    "html { scroll-padding-top: 24px; -webkit-text-size-adjust: 100%; }\n",
    "body { margin: 0; color: var(--ink); background: var(--bg); font: 18px/1.6 var(--serif); }\n",
    ".r-page { display: grid; grid-template-columns: minmax(0, 860px); justify-content: center; "
    "padding: 56px 24px 96px; }\n",
    ".r-nav { display: none; }\n",
    "@media (min-width: 1180px) {\n",
    " .r-page { grid-template-columns: 200px minmax(0, 860px); column-gap: 72px; }\n",
    " .r-nav { display: block; grid-column: 1; grid-row: 1; }\n",
    " .r-main { grid-column: 2; grid-row: 1; }\n",
    " .r-nav ol { position: sticky; top: 56px; max-height: calc(100vh - 112px); overflow: auto; "
    "margin: 0; padding: 4px 0 0;\n",
    "  list-style: none; font: 14px/1.4 var(--sans); }\n",
    "}\n",
    ".r-nav a { display: block; padding: 5px 0 5px 14px; color: var(--soft); text-decoration: "
    "none; border-left: 2px solid var(--line); }\n",
    ".r-nav a:hover, .r-nav a[aria-current] { color: var(--ink); }\n",
    ".r-nav a[aria-current] { border-left-color: var(--accent); font-weight: 600; }\n",
    "h1, h2, h3 { line-height: 1.2; text-wrap: balance; letter-spacing: -0.01em; }\n",
    "h1 { font-size: 42px; font-weight: 700; margin: 0 0 16px; }\n",
    "h2 { font-size: 28px; font-weight: 700; margin: 88px 0 14px; }\n",
    "h3 { font-size: 20px; margin: 40px 0 8px; }\n",
    "p { max-width: 68ch; margin: 0 0 16px; text-wrap: pretty; }\n",
    "a { color: var(--accent); }\n",
    ":focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 2px; "
    "}\n",
    "code { font: 0.84em/1.5 var(--mono); overflow-wrap: anywhere; }\n",
    ".r-lede { font-size: 22px; line-height: 1.5; margin-bottom: 18px; }\n",
    ".r-facts { font: 14px/1.5 var(--sans); color: var(--soft); margin-bottom: 40px; }\n",
    ".r-claim { display: grid; grid-template-columns: 164px minmax(0, 1fr); gap: 4px 24px; "
    "padding: 22px 0;\n",
    "  border-top: 1px solid var(--line); }\n",
    ".r-claim h3 { margin: 0 0 6px; font-size: 20px; }\n",
    ".r-claim p { margin-bottom: 8px; }\n",
    ".r-claim dl { display: grid; grid-template-columns: 96px minmax(0, 1fr); gap: 2px 10px; "
    "margin: 0; font: 14px/1.5 var(--sans);\n",
    "  color: var(--soft); }\n",
    ".r-claim dt { font-weight: 600; white-space: nowrap; }\n",
    ".r-claim dd { margin: 0; }\n",
    ".r-badge { justify-self: start; align-self: start; font: 600 14px/1.3 var(--sans); padding: "
    "6px 12px; border-radius: 6px;\n",
    "  margin-top: 1px; }\n",
    ".r-holds { color: var(--yes); background: var(--yes-bg); }\n",
    ".r-fails { color: var(--no); background: var(--no-bg); }\n",
    ".r-depends { color: var(--part); background: var(--part-bg); }\n",
    ".r-open { color: var(--open); background: var(--open-bg); }\n",
    ".r-scroll { overflow-x: auto; margin: 24px 0 32px; }\n",
    "table { border-collapse: collapse; width: 100%; font: 14.5px/1.45 var(--sans); "
    "font-variant-numeric: tabular-nums lining-nums; }\n",
    ".r-caption { color: var(--soft); font: 14px/1.5 var(--sans); margin: 24px 0 -14px; }\n",
    "th, td { text-align: left; vertical-align: top; padding: 8px 14px 8px 0; border-bottom: 1px "
    "solid var(--line); }\n",
    "th { font-weight: 600; font-size: 13.5px; color: var(--soft); border-bottom: 1.5px solid "
    "var(--soft); vertical-align: bottom; }\n",
    "th:last-child, td:last-child { padding-right: 2px; }\n",
    ".r-num { text-align: right; white-space: nowrap; }\n",
    "td:first-child { font-weight: 600; min-width: 10em; }\n",
    "figure { margin: 32px 0 44px; }\n",
    "figure svg { display: block; max-width: 100%; height: auto; margin: 0 -20px; max-width: "
    "calc(100% + 40px); }\n",
    "figcaption { font: 14.5px/1.55 var(--sans); color: var(--soft); border-top: 1px solid "
    "var(--line); padding-top: 10px; }\n",
    "figcaption p { margin: 0 0 6px; max-width: 84ch; }\n",
    "figcaption b { color: var(--ink); }\n",
    ".r-command { display: block; font: 13px/1.6 var(--mono); color: var(--soft); white-space: "
    "pre-wrap; overflow-wrap: anywhere; }\n",
    ".r-command::before { content: '$ '; user-select: none; }\n",
    "pre { font: 13.5px/1.6 var(--mono); background: var(--card); border-radius: 8px; padding: "
    "14px 18px; overflow-x: auto;\n",
    "  margin: 0 0 24px; }\n",
    "details { border-bottom: 1px solid var(--line); padding: 14px 0; }\n",
    ":not(details) + details { border-top: 1px solid var(--line); }\n",
    "summary { cursor: pointer; font: 600 16px/1.5 var(--sans); }\n",
    "details[open] > summary { margin-bottom: 14px; }\n",
    ".slm-view { margin: 28px 0; }\n",
    "footer { margin-top: 96px; padding-top: 18px; border-top: 1px solid var(--line); font: "
    "14px/1.5 var(--sans); color: var(--soft); }\n",
    "@media (max-width: 640px) {\n",
    " body { font-size: 17px; }\n",
    " .r-page { padding: 32px 18px 64px; }\n",
    " h1 { font-size: 32px; }\n",
    " h2 { font-size: 24px; margin-top: 64px; }\n",
    " .r-lede { font-size: 19px; }\n",
    " .r-claim { grid-template-columns: minmax(0, 1fr); }\n",
    " .r-claim .r-badge { margin-bottom: 6px; }\n",
    " .r-claim dl { grid-template-columns: minmax(0, 1fr); }\n",
    " .r-claim dd { margin-bottom: 6px; }\n",
    " figure .r-wide { overflow-x: auto; margin: 0 -18px; }\n",
    " figure svg { margin: 0; max-width: none; min-width: 560px; width: 100%; }\n",
    "}\n",
    "@media print {\n",
    " body { font-size: 11pt; }\n",
    " .r-page { display: block; padding: 0; }\n",
    " .r-nav { display: none; }\n",
    " h2 { margin-top: 28pt; break-after: avoid; }\n",
    " figure, .r-claim, tr { break-inside: avoid; }\n",
    " svg, .r-badge { print-color-adjust: exact; -webkit-print-color-adjust: exact; }\n",
    "}\n",
    NULL};

/* Marks the section in view in the contents. */
static const char *const report_js[] = {
    "(function () {\n",
    " 'use strict';\n",
    " var links = Array.from(document.querySelectorAll('.r-nav a'));\n",
    " var heads = links.map(function (link) { return "
    "document.getElementById(link.getAttribute('href').slice(1)); });\n",
    " function mark() {\n",
    "  var at = 0;\n",
    "  heads.forEach(function (head, i) { if (head.getBoundingClientRect().top < innerHeight / 3) "
    "{ at = i; } });\n",
    "  links.forEach(function (link, i) {\n",
    "   if (i === at) { link.setAttribute('aria-current', 'true'); } else { "
    "link.removeAttribute('aria-current'); }\n",
    "  });\n",
    " }\n",
    " addEventListener('scroll', mark, { passive: true });\n",
    " addEventListener('resize', mark, { passive: true });\n",
    " mark();\n",
    "}());\n",
    NULL};
#endif
