'use strict';
// The timeline: only the rows in sight are elements of the page, so that their number does not matter.

const kLine = 18;      // pixels, as in timeline.css
const kNumber = 76;    // the column of numbers
const kNarrowest = 170;
const kWatched = 190;  // the column of the watched object
const kSpare = 20;     // rows above and below what is in sight

const element = (tag, className, text) => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};
const byId = (id) => document.getElementById(id);
// Not that of a failure.
const kHues = [212, 150, 275, 45, 185, 315, 95, 240];
const hueOf = (column) => kHues[column % kHues.length];

const scroller = byId('scroller');
const rowsBox = byId('rows');
const view = {rows: [], tops: [0], lines: [], shown: new Map(), selected: 0, arrows: 'all', watched: null, columnWidth: 0, all: false};

// How wide a character of the rows is.
const characterWidth = (() => {
  const probe = element('span', '', '0'.repeat(100));
  probe.style.cssText = 'position:absolute;visibility:hidden';
  rowsBox.append(probe);
  const width = probe.getBoundingClientRect().width / 100;
  probe.remove();
  return width;
})();

// `text` in lines of at most `width` characters, broken after spaces where possible. No character is lost.
function wrap(text, width) {
  const lines = [];
  let rest = text;
  while (rest.length > width) {
    let end = rest.lastIndexOf(' ', width - 1) + 1;
    if (end <= width / 3) end = width;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  lines.push(rest);
  return lines;
}

// Where everything is, for the width that there is.
function layOut() {
  const least = kNumber + threads.length * kNarrowest + kWatched;
  const width = Math.max(scroller.clientWidth, least);
  view.columnWidth = (width - kNumber - kWatched) / Math.max(threads.length, 1);
  document.documentElement.style.setProperty('--columns',
    `${kNumber}px repeat(${threads.length}, minmax(0, 1fr)) ${kWatched}px`);
  document.documentElement.style.setProperty('--least', `${least}px`);
  const characters = Math.max(8, Math.floor((view.columnWidth - 13) / characterWidth));
  const across = Math.max(8, Math.floor((width - kNumber - 17) / characterWidth));
  view.lines = view.rows.map((row) => (row.words === undefined ? [''] : wrap(row.words, row.column === undefined ? across : characters)));
  view.tops = [0];
  let top = 0;
  for (const lines of view.lines) view.tops.push(top += lines.length * kLine + 4);
  rowsBox.style.height = `${top + 8}px`;
  clear();
  draw();
}

function clear() {
  for (const node of view.shown.values()) node.remove();
  view.shown.clear();
}

// The index of the row at `top` pixels.
const rowAt = (top) => Math.max(0, Math.min(view.rows.length - 1, lastUpTo(view.tops, top)));

function makeLines(index, cell) {
  const words = element('div', 'words');
  for (const line of view.lines[index]) words.append(element('div', 'line', line));
  cell.append(words);
}

function makeCells(row, index, node) {
  const event = row.kind === 'event' ? events[row.at] : null;
  threads.forEach((thread, column) => {
    const own = column === row.column;
    const cell = element('div', 'cell');
    cell.setAttribute('role', 'gridcell');
    cell.style.cssText = `--hue:${hueOf(column)};grid-area:1/${column + 2}`;
    const inside = event === null ? operationAfter(row.kind === 'switch' ? row.at - 1 : row.at, column) : operationOf(row.at, column);
    if (inside >= 0) cell.classList.add('in');
    if (own && event !== null) {
      cell.classList.add(event.type.replace('operation ', ''));
      if (event.dull) cell.classList.add('dull');
    }
    if (own) makeLines(index, cell);
    const from = own && event !== null && event.type === 'step' ? event.step.reads_from : undefined;
    if (from !== undefined && events[from].thread !== thread) cell.lastChild.append(element('span', 'from', ` ← ${stepName(from)}`));
    node.append(cell);
  });
}

function makeSwitch(row, node) {
  const path = element('div', `path ${row.from < row.to ? 'right' : 'left'}`);
  path.style.gridColumn = `${Math.min(row.from, row.to) + 2} / ${Math.max(row.from, row.to) + 2}`;
  path.append(element('span', '', row.label));
  if (row.label === '') path.firstChild.remove();
  node.classList.toggle('chosen', row.chosen);
  node.append(path);
}

function makeNode(index) {
  const row = view.rows[index];
  const node = element('div', 'row');
  node.dataset.row = index;
  node.setAttribute('role', 'row');
  node.setAttribute('aria-rowindex', index + 1);
  node.style.top = `${view.tops[index]}px`;
  node.style.height = `${view.tops[index + 1] - view.tops[index]}px`;
  const event = events[row.at];
  const failed = row.kind === 'verdict' || (row.kind === 'event' && row.at === verdict.event);
  if (failed) node.classList.add('failed');
  const chosen = row.kind === 'switch' ? row.chosen : row.kind === 'event' && marked[row.at];
  const number = element('div', 'number', row.kind === 'event' && event.number ? String(event.number) : '');
  number.append(element('span', 'mark', failed ? '✗' : chosen ? '*' : ''));
  node.append(number);
  if (row.kind === 'switch') {
    node.classList.add('switch');
    makeCells(row, index, node);
    makeSwitch(row, node);
    return node;
  }
  if (row.column === undefined) {
    const across = element('div', 'across');
    makeLines(index, across);
    node.append(across);
    return node;
  }
  makeCells(row, index, node);
  if (view.watched !== null) {
    const changed = row.kind === 'event' && changesAt(view.watched, row.at);
    node.append(element('div', changed ? 'watched changed' : 'watched', valueOf(view.watched, row.at)));
  }
  return node;
}

// Which rows have elements: those in sight and some more; on paper all.
function range() {
  if (view.all) return [0, view.rows.length - 1];
  return [Math.max(0, rowAt(scroller.scrollTop) - kSpare),
    Math.min(view.rows.length - 1, rowAt(scroller.scrollTop + scroller.clientHeight) + kSpare)];
}

function draw() {
  const [first, last] = range();
  for (const [index, node] of view.shown) {
    if (index >= first && index <= last) continue;
    node.remove();
    view.shown.delete(index);
  }
  const added = document.createDocumentFragment();
  for (let index = first; index <= last; ++index) {
    if (view.shown.has(index)) continue;
    const node = makeNode(index);
    view.shown.set(index, node);
    added.append(node);
  }
  rowsBox.append(added);
  for (const [index, node] of view.shown) {
    node.classList.toggle('selected', index === view.selected);
    node.setAttribute('aria-selected', index === view.selected);
  }
  drawArrows(first, last);
}

// ---- reads-from: arrows between rows, from a write to who reads it

function rowOfEvent(at) {
  const index = view.indexOf.get(at);
  return index === undefined ? -1 : index;
}

function drawArrow(from, to, paths, selected) {
  const source = rowOfEvent(from);
  const target = rowOfEvent(to);
  if (source < 0 || target < 0) return;
  const left = (column) => kNumber + column * view.columnWidth;
  const a = view.rows[source].column;
  const b = view.rows[target].column;
  const y1 = view.tops[source] + kLine / 2 + 2;
  const y2 = view.tops[target] + kLine / 2 + 2;
  const x1 = a < b ? left(a + 1) - 8 : left(a) + 1;
  const x2 = b <= a ? (a === b ? left(b) + 1 : left(b + 1) - 4) : left(b) + 1;
  const bend = a === b ? -26 : Math.max(12, Math.min(60, Math.abs(x2 - x1) / 2));
  const c1 = a < b ? x1 + bend : a === b ? x1 + bend : x1 - bend;
  const c2 = a < b ? x2 - bend : a === b ? x2 + bend : x2 + bend;
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', `M${x1} ${y1}C${c1} ${y1} ${c2} ${y2} ${x2} ${y2}`);
  path.dataset.from = from;
  path.dataset.to = to;
  if (selected) path.classList.add('selected');
  paths.append(path);
}

// An arrow is drawn if one of its ends is among the rows from `first` to `last`, or if it is the selected row's.
function drawArrows(first, last) {
  const paths = document.createDocumentFragment();
  const chosen = view.rows.length > 0 && view.rows[view.selected].kind === 'event' ? view.rows[view.selected].at : -1;
  const drawn = new Set();
  const add = (from, to, selected) => {
    if (drawn.has(to)) return;
    drawn.add(to);
    drawArrow(from, to, paths, selected);
  };
  const fromOf = (at) => (events[at].type === 'step' ? events[at].step.reads_from : undefined);
  if (view.arrows !== 'none' && chosen >= 0) {
    if (fromOf(chosen) !== undefined) add(fromOf(chosen), chosen, true);
    for (const reader of (readersOf.get(chosen) || []).slice(0, 200)) add(chosen, reader, true);
  }
  if (view.arrows === 'all') {
    for (let index = first; index <= last; ++index) {
      if (view.rows[index].kind !== 'event') continue;
      const at = view.rows[index].at;
      const from = fromOf(at);
      if (from !== undefined && events[from].thread !== events[at].thread) add(from, at, false);
      for (const reader of (readersOf.get(at) || []).slice(0, 50)) {
        if (events[reader].thread !== events[at].thread) add(at, reader, false);
      }
    }
  }
  byId('paths').replaceChildren(paths);
}
