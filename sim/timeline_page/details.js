'use strict';
// Beside the timeline: the selected row, and the state of threads and objects after it; and what the mouse shows.

const kMostObjects = 400;  // in the table; more than that nobody reads

function pair(list, term, description) {
  if (description === '' || description === null) return;
  list.append(element('dt', '', term));
  const item = element('dd');
  item.append(description);
  list.append(item);
}

function linkTo(at) {
  const link = element('a', '', `${stepName(at)}, ${threadName(events[at].thread)}`);
  link.href = `#event=${at}`;
  return link;
}

function linksTo(positions) {
  const links = document.createDocumentFragment();
  positions.slice(0, 20).forEach((at, i) => links.append(i > 0 ? '; ' : '', linkTo(at)));
  if (positions.length > 20) links.append(` and ${positions.length - 20} more`);
  return links;
}

// "attached (0x1)".
const valueText = (text, hexadecimal) => (text ? `${text} (${hexadecimal})` : hexadecimal);

function valueLine(event) {
  const step = event.step;
  if (step.old === step.new) return valueText(step.new_text, step.new);
  return `${valueText(step.old_text, step.old)} → ${valueText(step.new_text, step.new)}`;
}

function choiceLine(event) {
  if (event.pick === undefined) return '';
  const {kind, choice, alternatives} = event.pick;
  return `${kind}: number ${choice} of ${alternatives}, ${choice === 0 ? 'the benign one' : 'not the benign one'}`;
}

function readLine(event) {
  if (!isAccess(event) || event.step.kind === 'store' || event.step.kind === 'plain write') return '';
  return event.step.reads_from === undefined ? 'the initial value' : linkTo(event.step.reads_from);
}

function framesList(event) {
  const list = element('ul', 'frames');
  for (const frame of framesOf(event)) {
    const item = element('li', '', `${frame.function}  `);
    item.append(element('span', 'place', placeOf(frame)));
    list.append(item);
  }
  return list;
}

function showEvent(at, box) {
  const event = events[at];
  const list = element('dl');
  box.append(element('h2', '', `${event.number ? `Step ${event.number}` : event.type}, ${threadName(event.thread)}`));
  box.append(element('div', 'words', wordsOf(event)));
  if (event.type === 'step') {
    if (isAccess(event)) {
      pair(list, 'value', valueLine(event));
      pair(list, 'size', event.step.size ? `${event.step.size} bytes at ${event.step.address}` : '');
      pair(list, 'order', event.step.order || '');
    }
    pair(list, 'read from', readLine(event));
    if (event.step.newest === false) pair(list, 'weak memory', 'not the newest store: memory is as it was');
    if (readersOf.has(at)) pair(list, 'read by', linksTo(readersOf.get(at)));
  }
  pair(list, 'choice', choiceLine(event));
  pair(list, 'could run', (event.enabled || []).map(threadName).join(', '));
  box.append(list, framesList(event));
}

function showVerdict(box) {
  box.append(element('h2', '', 'Verdict'));
  box.append(element('div', 'words', `${verdict.kind}: ${verdict.message}`));
  for (const place of trace.places || []) {
    box.append(element('h2', '', `${place.what} by ${threadName(place.thread)}, after step ${place.step}`), framesList(place));
  }
}

function tableRow(table, head, cells, className) {
  const row = element('tr', className);
  row.append(element('th', '', head));
  for (const cell of cells) row.append(element('td', '', cell));
  table.append(row);
}

function showSelected() {
  const row = view.rows[view.selected];
  const box = byId('selected');
  const ofThreads = document.createDocumentFragment();
  const ofObjects = document.createDocumentFragment();
  box.replaceChildren();
  if (row === undefined) return;
  if (row.kind === 'verdict') showVerdict(box); else if (row.at >= 0) showEvent(row.at, box);
  if (row.at < 0) return;
  threads.forEach((thread, column) => {
    const {doing, held} = threadAfter(column, row.at);
    const holds = held.length > 0 ? `holds ${held.join(', ')}` : 'holds nothing';
    tableRow(ofThreads, threadName(thread), [doing, holds], column === row.column ? 'now' : '');
    byId('heads').children[column + 1].querySelector('.operation').textContent = doing;
  });
  byId('threads').replaceChildren(ofThreads);
  const known = objectList.filter((object) => valueOf(object, row.at) !== '');
  for (const object of known.slice(0, kMostObjects)) {
    tableRow(ofObjects, nameOfObject(object), [valueOf(object, row.at)],
      row.kind === 'event' && changesAt(object, row.at) ? 'changed' : '');
  }
  if (known.length > kMostObjects) tableRow(ofObjects, `${known.length - kMostObjects} more`, [''], '');
  byId('objects').replaceChildren(ofObjects);
}

// ---- what the mouse shows: the source, and the value

function tipText(row) {
  if (row.kind === 'verdict') return `${verdict.kind}: ${verdict.message}`;
  const event = events[row.at];
  const lines = [`${event.number ? `step ${event.number}, ` : ''}${threadName(event.thread)}: ${wordsOf(event)}`];
  const frame = framesOf(event)[0];
  if (frame !== undefined) lines.push(`${frame.function}  ${placeOf(frame)}`);
  if (isAccess(event)) lines.push(`value ${valueLine(event)}`);
  if (event.type === 'step' && event.step.reads_from !== undefined) {
    const from = event.step.reads_from;
    lines.push(`read from ${stepName(from)}, ${threadName(events[from].thread)}`);
  }
  const begin = operationOf(row.at, row.column);
  if (begin >= 0 && begin !== row.at) lines.push(`in operation ${events[begin].text || ''}`);
  if (event.held) lines.push(`holds ${event.held.join(', ')}`);
  return lines.join('\n');
}

function showTip(mouse) {
  const node = mouse.target.closest ? mouse.target.closest('.row') : null;
  const tip = byId('tip-box');
  const row = node === null ? undefined : view.rows[Number(node.dataset.row)];
  tip.hidden = row === undefined || row.kind === 'switch';
  if (tip.hidden) return;
  tip.textContent = tipText(row);
  const box = tip.getBoundingClientRect();
  const below = mouse.clientY + 16 + box.height < innerHeight;
  tip.style.left = `${Math.max(4, Math.min(mouse.clientX + 12, innerWidth - box.width - 8))}px`;
  tip.style.top = `${below ? mouse.clientY + 16 : Math.max(4, mouse.clientY - box.height - 12)}px`;
}
