// Where the arrow keys go in a text whose tokens are spans: for heatmap.js, and for the lesson in a
// browser.

function slmMiddle(span) {
  var box = span.getClientRects()[0] || span.getBoundingClientRect();
  return {x: box.left, y: (box.top + box.bottom) / 2};
}

// The nearest token of the line above (step -1) or below (step 1) token i; i if there is none.
function slmOtherLine(spans, i, step) {
  var from = slmMiddle(spans[i]), best = i, gap = Infinity, y = null, at, j;
  for (j = i + step; j >= 0 && j < spans.length; j += step) {
    at = slmMiddle(spans[j]);
    if (Math.abs(at.y - from.y) < 10) {
      continue;
    }
    if (y === null) {
      y = at.y;
    }
    if (Math.abs(at.y - y) > 10) {
      break;
    }
    if (Math.abs(at.x - from.x) < gap) {
      gap = Math.abs(at.x - from.x);
      best = j;
    }
  }
  return best;
}

// The next one of n tokens, from i on, that is kept; i if there is none.
function slmNextKept(n, isKept, i, step) {
  for (var j = i + step; j >= 0 && j < n; j += step) {
    if (isKept(j)) {
      return j;
    }
  }
  return i;
}
