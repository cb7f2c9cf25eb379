'use strict';
// The model: what follows from the trace (docs/trace_json.md), without any drawing.
//
// Positions are indices into trace.events. "After p" is the state when event p has happened.

const trace = JSON.parse(document.getElementById('trace').textContent);
const events = trace.events;
const verdict = trace.verdict;

// The threads that have events, ascending; -1 is the harness. A thread's column is its place here.
const threads = [...new Set(events.map((event) => event.thread))].sort((a, b) => a - b);
const columnOf = new Map(threads.map((thread, column) => [thread, column]));
const threadName = (thread) => (thread < 0 ? 'harness' : `thread ${thread}`);

const isEnd = (event) => event.type === 'step' && event.step.kind === 'thread end';
const deviates = (event) => event.pick !== undefined && event.pick.choice !== 0;
const stepName = (at) => (events[at].number ? `step ${events[at].number}` : `event ${at}`);

// What stands in the row of an event.
function wordsOf(event) {
  switch (event.type) {
    case 'step': {
      const words = event.words || event.step.kind;
      if (deviates(event) && event.pick.kind === 'placement') return words + ', before a newer value';
      if (!deviates(event) || event.pick.kind !== 'reads-from') return words;
      return words + (event.step.reads_from === undefined ? ', an older value: the initial one' : ', an older value');
    }
    case 'blocked': return `blocked: ${event.text || ''}`;
    case 'note': return `# ${event.text || ''}`;
    case 'operation end': return event.text || 'done';
    default: return event.text || '';
  }
}

// ---- where in the source

// The functions that an event's thread is in, innermost first, those of the library left out.
function framesOf(event) {
  const all = [event.pc, ...(event.stack || [])].flatMap((pc) => trace.frames[pc] || []);
  const own = all.filter((frame) => !frame.library);
  return own.length > 0 ? own : all.slice(0, 1);
}
const placeOf = (frame) => (frame.file ? frame.file + (frame.line ? `:${frame.line}` : '') : '');

// ---- operations: for each event and column, the position where the operation began that it is in, or -1

const operationAt = new Int32Array(events.length * threads.length).fill(-1);
{
  const open = new Int32Array(threads.length).fill(-1);
  events.forEach((event, at) => {
    const column = columnOf.get(event.thread);
    if (event.type === 'operation begin') open[column] = at;
    operationAt.set(open, at * threads.length);
    if (event.type === 'operation end') open[column] = -1;
  });
}
const operationOf = (at, column) => operationAt[at * threads.length + column];

// The same, of what is still open when the event has happened.
function operationAfter(at, column) {
  const ends = events[at].type === 'operation end' && columnOf.get(events[at].thread) === column;
  return ends ? -1 : operationOf(at, column);
}

// ---- each thread's own events

const eventsOf = threads.map(() => []);
events.forEach((event, at) => eventsOf[columnOf.get(event.thread)].push(at));

// The last of the ascending `positions` that is at most `at`, as an index; -1 if there is none.
function lastUpTo(positions, at) {
  let low = 0;
  let high = positions.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (positions[middle] <= at) low = middle + 1; else high = middle;
  }
  return low - 1;
}

// What the thread of a column does, and holds, after `at`.
function threadAfter(column, at) {
  const last = lastUpTo(eventsOf[column], at);
  if (last < 0) return {doing: 'has not run', held: []};
  const event = events[eventsOf[column][last]];
  const begin = operationAfter(at, column);
  let doing = begin >= 0 ? events[begin].text || '' : '';
  if (event.type === 'blocked') doing += (doing ? ', ' : '') + `blocked: ${event.text || ''}`;
  if (isEnd(event)) doing = 'has ended';
  return {doing, held: event.held || []};
}

// ---- objects: their values over time

const accessKinds = new Set(['load', 'store', 'read-modify-write', 'plain read', 'plain write']);
const isAccess = (event) => event.type === 'step' && accessKinds.has(event.step.kind);
const locking = new Set(['mutex lock', 'mutex try-lock', 'shared lock', 'shared try-lock']);
const unlocking = new Set(['mutex unlock', 'shared unlock']);
const counting = new Set(['semaphore wait', 'semaphore post', 'barrier arrive']);

// By address: its name, whose threads' events it is in, and its values: from which position on, in words.
const objects = new Map();
const inWords = (text, hexadecimal) => text || (hexadecimal.length > 3 || hexadecimal > '0x9' ? hexadecimal : hexadecimal.slice(2));
function valueAfter(event) {
  const step = event.step;
  if (isAccess(event)) return step.newest === false ? null : inWords(step.new_text, step.new);
  if (locking.has(step.kind)) {
    if (step.kind.includes('try') && step.new === '0x0') return null;
    return `taken by thread ${event.thread}`;
  }
  if (unlocking.has(step.kind)) return `left by thread ${event.thread}`;
  return counting.has(step.kind) ? String(parseInt(step.new, 16)) : null;
}
events.forEach((event, at) => {
  if (event.type !== 'step' || event.step.address === undefined) return;
  const step = event.step;
  let object = objects.get(step.address);
  if (object === undefined) {
    object = {name: '', address: step.address, threads: new Set(), first: null, from: [], values: [], writes: 0};
    objects.set(step.address, object);
  }
  if (step.name) object.name = step.name;
  if (event.thread >= 0) object.threads.add(event.thread);
  if (object.first === null && isAccess(event) && step.newest !== false) object.first = inWords(step.old_text, step.old);
  const value = valueAfter(event);
  if (value === null) return;
  if (value !== (object.values.length > 0 ? object.values[object.values.length - 1] : object.first)) {
    object.from.push(at);
    object.values.push(value);
  }
  object.writes += step.new !== step.old;
});
// The named ones first, as they are called.
const objectList = [...objects.values()].sort((a, b) =>
  (a.name === '') - (b.name === '') || (a.name || a.address).localeCompare(b.name || b.address, 'en', {numeric: true}));
const nameOfObject = (object) => object.name || object.address;

// In words; '' if nothing is known of it yet.
function valueOf(object, at) {
  const last = lastUpTo(object.from, at);
  return last < 0 ? object.first || '' : object.values[last];
}
const changesAt = (object, at) => object.from[lastUpTo(object.from, at)] === at;
const isShared = (event) => event.type === 'step' && event.step.address !== undefined &&
  objects.get(event.step.address).threads.size > 1;

// ---- reads-from, the other way round: who has read the write at a position

const readersOf = new Map();
events.forEach((event, at) => {
  const from = event.type === 'step' ? event.step.reads_from : undefined;
  if (from === undefined) return;
  if (!readersOf.has(from)) readersOf.set(from, []);
  readersOf.get(from).push(at);
});

// ---- switches: at the first event of each run of events of one thread, how it came to run

// Whether a choice that was not benign led to the switch at `at`; its answer is kept with the thread's next step.
function pickOfSwitch(at) {
  for (let i = at; i < events.length && events[i].thread === events[at].thread; ++i) {
    if (events[i].type !== 'step' || isEnd(events[i])) continue;
    return events[i].pick !== undefined && events[i].pick.kind === 'schedule' ? i : -1;
  }
  return -1;
}
const switches = new Map();
const marked = new Uint8Array(events.length);  // has a choice of its own
events.forEach((event, at) => { marked[at] = deviates(event) ? 1 : 0; });
for (let at = 1; at < events.length; ++at) {
  const before = events[at - 1];
  if (before.thread === events[at].thread) continue;
  const pick = pickOfSwitch(at);
  const chosen = pick >= 0 && deviates(events[pick]);
  if (chosen) marked[pick] = 0;  // told at the switch
  const forced = before.type === 'blocked' || isEnd(before) || (before.type === 'step' && before.step.kind === 'yield');
  switches.set(at, {chosen, label: forced ? '' : chosen ? 'switched here' : 'its turn is over'});
}

// ---- rows, as a filter lets them through

const filters = {
  all: () => true,
  interest: (event) => !event.dull,
  shared: (event, at) => isShared(event) || at === verdict.event,
};

// Each is {kind: 'event' | 'switch' | 'verdict', at, ...}. The verdict's own comes last.
function makeRows(filter) {
  const rows = [];
  let last = -1;
  let current = null;  // the switch that began the run of events
  for (let at = 0; at < events.length; ++at) {
    if (switches.has(at)) current = switches.get(at);
    if (!filters[filter](events[at], at)) continue;
    if (last >= 0 && events[last].thread !== events[at].thread && current !== null)
      rows.push({kind: 'switch', at, from: columnOf.get(events[last].thread), to: columnOf.get(events[at].thread), ...current});
    rows.push({kind: 'event', at, words: wordsOf(events[at]), column: columnOf.get(events[at].thread)});
    last = at;
  }
  if (verdict.kind !== 'pass') {
    const column = columnOf.get(verdict.thread);
    const ofAll = verdict.kind === 'deadlock' || verdict.kind === 'livelock' || column === undefined;
    const row = {kind: 'verdict', at: events.length - 1, words: `✗ ${verdict.kind}`};
    if (ofAll) row.words += `: ${verdict.message}`; else row.column = column;
    rows.push(row);
  }
  return rows;
}
