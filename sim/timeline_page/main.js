'use strict';
// The page: its head, filters, keys, addresses (#step=12), paper.

function fillHead() {
  const passed = verdict.kind === 'pass';
  document.title = passed ? 'Jacquard timeline' : `${verdict.kind}: ${verdict.message}`;
  byId('kind').textContent = passed ? 'passes' : `✗ ${verdict.kind}:`;
  byId('kind').classList.toggle('passed', passed);
  byId('message').textContent = verdict.message;
  const steps = events.reduce((most, event) => Math.max(most, event.number || 0), 0);
  const count = (number, noun) => `${number} ${noun}${number === 1 ? '' : noun.endsWith('h') ? 'es' : 's'}`;
  const parts = [count(threads.filter((thread) => thread >= 0).length, 'thread'), count(steps, 'step'),
    count(switches.size, 'context switch')];
  if (verdict.event !== undefined) {
    const at = verdict.event;
    parts.unshift(`${threadName(events[at].thread)}, ${stepName(at)}: ${wordsOf(events[at])}`);
    const frame = framesOf(events[at])[0];
    if (frame !== undefined && placeOf(frame)) parts.splice(1, 0, placeOf(frame));
  }
  byId('summary').textContent = parts.join(' · ');
  byId('decisions').append(...(trace.decisions || []).map((sentence) => element('li', '', sentence)));
  pair(byId('identity'), 'Signature', verdict.signature || '');
  pair(byId('identity'), 'Replay', trace.replay || '');
  byId('violation').disabled = passed;
  const heads = byId('heads');
  heads.append(element('div', '', 'step'));
  threads.forEach((thread, column) => {
    const head = element('div', 'thread', `${threadName(thread)} `);
    head.style.setProperty('--hue', hueOf(column));
    head.append(element('span', 'operation'));
    heads.append(head);
  });
  heads.append(element('div', 'watched-name'));
}

// What is watched at first: the verdict's object if it ever changes, or else what changes most often, of those with a name.
function fillWatch() {
  const select = byId('watch');
  select.append(new Option('nothing', ''));
  for (const object of objectList.slice(0, kMostObjects)) select.append(new Option(nameOfObject(object), object.address));
  const failed = verdict.event === undefined ? undefined : objects.get(events[verdict.event].step.address);
  const busiest = objectList.slice(0, kMostObjects).reduce((best, object) =>
    (best === null || (best.name === '') > (object.name === '') ||
      ((best.name === '') === (object.name === '') && object.writes > best.writes) ? object : best), null);
  watch((failed !== undefined && failed.writes > 0 ? failed : busiest || {address: ''}).address);
}

function watch(address) {
  view.watched = objects.get(address) || null;
  byId('watch').value = address;
  byId('heads').lastChild.textContent = view.watched === null ? '' : nameOfObject(view.watched);
}

// ---- which rows, and which of them is selected

function setFilter(filter) {
  const at = view.rows.length > 0 ? view.rows[view.selected].at : 0;
  const wasVerdict = view.rows.length > 0 && view.rows[view.selected].kind === 'verdict';
  byId('filter').value = filter;
  view.rows = makeRows(filter);
  view.indexOf = new Map();
  view.rows.forEach((row, index) => { if (row.kind === 'event') view.indexOf.set(row.at, index); });
  scroller.setAttribute('aria-rowcount', view.rows.length);
  view.selected = wasVerdict ? view.rows.length - 1 : Math.max(0, view.rows.findIndex((row) => row.kind === 'event' && row.at >= at));
  layOut();
  select(view.selected);
}

// Scrolls to the selected row, with some rows around it.
function bringIntoSight() {
  if (view.rows.length === 0) return;
  const top = view.tops[view.selected];
  const bottom = view.tops[view.selected + 1];
  const head = byId('heads').offsetHeight;
  const margin = Math.min(3 * kLine, scroller.clientHeight / 4);
  if (top < scroller.scrollTop + margin) scroller.scrollTop = top - margin;
  if (bottom + head > scroller.scrollTop + scroller.clientHeight - margin)
    scroller.scrollTop = bottom + head - scroller.clientHeight + margin;
}

function select(index) {
  if (view.rows.length === 0) return;
  view.selected = Math.max(0, Math.min(view.rows.length - 1, index));
  bringIntoSight();
  draw();
  showSelected();
  const row = view.rows[view.selected];
  byId('position').textContent = row.kind === 'verdict' ? 'verdict' : `${stepName(row.at)}, ${threadName(events[row.at].thread)}`;
  if (row.kind === 'event') history.replaceState(null, '', events[row.at].number ? `#step=${events[row.at].number}` : `#event=${row.at}`);
}

// The row of an event; every event is shown if it has none.
function selectEvent(at) {
  if (events[at] === undefined) return;
  if (rowOfEvent(at) < 0) setFilter('all');
  select(rowOfEvent(at));
}

// The next row in a direction that `wanted` accepts; without one, nothing changes.
function move(direction, wanted) {
  for (let index = view.selected + direction; index >= 0 && index < view.rows.length; index += direction) {
    const row = view.rows[index];
    if (row.kind !== 'switch' && wanted(row)) return select(index);
  }
}
const anyRow = () => true;
const sameThread = (row) => row.column === view.rows[view.selected].column;
const ofChoice = (row) => row.kind === 'event' && deviates(events[row.at]);
const toViolation = () => (verdict.event === undefined ? select(view.rows.length - 1) : selectEvent(verdict.event));

function page(direction) {
  const target = rowAt(view.tops[view.selected] + direction * (scroller.clientHeight - 60));
  select(view.rows[target].kind === 'switch' ? target + direction : target);
}

function toRead() {
  const row = view.rows[view.selected];
  const event = events[row.at];
  if (row.kind === 'event' && event.type === 'step' && event.step.reads_from !== undefined) selectEvent(event.step.reads_from);
}

function toggleHelp() {
  byId('keys').hidden = !byId('keys').hidden;
  byId('help').setAttribute('aria-expanded', !byId('keys').hidden);
}

function nextFilter() {
  const names = Object.keys(filters);
  setFilter(names[(names.indexOf(byId('filter').value) + 1) % names.length]);
}

const first = () => select(view.rows.findIndex((row) => row.kind !== 'switch'));
const last = () => select(view.rows.length - 1);
const keys = {
  ArrowDown: () => move(1, anyRow), j: () => move(1, anyRow),
  ArrowUp: () => move(-1, anyRow), k: () => move(-1, anyRow),
  ArrowRight: () => move(1, sameThread), l: () => move(1, sameThread),
  ArrowLeft: () => move(-1, sameThread), h: () => move(-1, sameThread),
  PageDown: () => page(1), PageUp: () => page(-1), Home: first, End: last,
  d: () => move(1, ofChoice), D: () => move(-1, ofChoice),
  r: toRead, v: toViolation, f: nextFilter, '?': toggleHelp,
};

// Whether the address names an event.
function follow(address) {
  const step = /^#step=(\d+)$/.exec(address);
  const event = /^#event=(\d+)$/.exec(address);
  if (step) {
    const at = events.findIndex((one) => one.number === Number(step[1]));
    if (at >= 0) selectEvent(at);
    return at >= 0;
  }
  if (event) selectEvent(Number(event[1]));
  return event !== null;
}

function listen() {
  addEventListener('keydown', (pressed) => {
    if (pressed.ctrlKey || pressed.metaKey || pressed.altKey || pressed.target.tagName === 'SELECT') return;
    const act = keys[pressed.key];
    if (act === undefined || (view.rows.length === 0 && act !== toggleHelp)) return;
    pressed.preventDefault();
    act();
  });
  for (const [id, act] of Object.entries({first, last, violation: toViolation, help: toggleHelp,
    back: keys.ArrowUp, forward: keys.ArrowDown})) {
    byId(id).addEventListener('click', act);
    byId(id).disabled ||= view.rows.length === 0 && act !== toggleHelp;
  }
  byId('theme').addEventListener('click', () => {
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    const now = document.documentElement.dataset.theme || (dark ? 'dark' : 'light');
    document.documentElement.dataset.theme = now === 'dark' ? 'light' : 'dark';
  });
  byId('filter').addEventListener('change', (changed) => setFilter(changed.target.value));
  byId('arrows').addEventListener('change', (changed) => { view.arrows = changed.target.value; draw(); });
  byId('watch').addEventListener('change', (changed) => { watch(changed.target.value); clear(); draw(); });
  rowsBox.addEventListener('click', (click) => {
    const node = click.target.closest('.row');
    if (node !== null && view.rows[Number(node.dataset.row)].kind !== 'switch') select(Number(node.dataset.row));
  });
  rowsBox.addEventListener('mousemove', showTip);
  rowsBox.addEventListener('mouseleave', () => { byId('tip-box').hidden = true; });
  let waits = false;
  scroller.addEventListener('scroll', () => {
    byId('tip-box').hidden = true;
    if (waits) return;
    waits = true;
    requestAnimationFrame(() => { waits = false; draw(); });
  }, {passive: true});
  let width = scroller.clientWidth;
  new ResizeObserver(() => {
    if (scroller.clientWidth !== width) layOut();
    width = scroller.clientWidth;
    bringIntoSight();
    draw();
  }).observe(scroller);
  addEventListener('hashchange', () => follow(location.hash));
  addEventListener('beforeprint', () => { view.all = true; byId('about').open = true; draw(); });
  addEventListener('afterprint', () => { view.all = false; draw(); });
}

const wanted = location.hash;  // selecting a row writes its own
fillHead();
fillWatch();
setFilter('all');
listen();
// The failure is what one wants to see first.
if (!follow(wanted) && verdict.kind !== 'pass') toViolation();
scroller.focus({preventScroll: true});
