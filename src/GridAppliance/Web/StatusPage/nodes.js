import { byId, el, reconcile, setText } from './dom.js';
import { progress } from './progress.js';
import { byName, isBooting, place, seconds, stageIndex, stages, tones } from './words.js';

const stalledAfter = 180; // seconds: even a slow firmware has moved on by then

/** Search text and state filter; null shows every state. */
const wanted = { text: '', state: null };

const filters = {
  booting: isBooting,
  trouble: node => node.state === 'failed' || Boolean(node.problem),
};

const haystack = node => [
  node.name, node.state, node.ip, node.uuid, node.firmware, node.arch, place(node), ...node.macs, ...node.modules.map(module => module.name), node.inventory?.vendor, node.inventory?.product,
  node.inventory?.serial, node.problem,
].filter(Boolean).join(' ').toLowerCase();

function isWanted(node) {
  if (wanted.state && !(filters[wanted.state]?.(node) ?? node.state === wanted.state)) return false;
  return wanted.text.split(/\s+/).every(word => haystack(node).includes(word));
}

export function initNodes(redraw, open) {
  const search = byId('search');
  search.addEventListener('input', () => { wanted.text = search.value.trim().toLowerCase(); redraw(); });
  document.addEventListener('keydown', event => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.target.matches('input') || document.querySelector('dialog[open]')) return;
    event.preventDefault();
    search.focus();
  });
  for (const id of ['nodes', 'booting-list'])
    byId(id).addEventListener('click', event => { const row = event.target.closest('[data-key]'); if (row) open(row.dataset.key); });
  byId('tallies').addEventListener('click', event => {
    const tally = event.target.closest('[data-key]');
    if (!tally) return;
    wanted.state = tally.dataset.key === 'all' || wanted.state === tally.dataset.key ? null : tally.dataset.key;
    redraw();
  });
}

export function drawNodes(all, latest, now) {
  const nodes = [...all].sort(byName);
  drawTallies(nodes);
  drawBooting(nodes.filter(isBooting), latest, now);
  const shown = nodes.filter(isWanted);
  reconcile(byId('nodes'), shown, node => node.name, rowPrint, row);
  setText(byId('nodes-count'), shown.length === nodes.length ? `${nodes.length}` : `${shown.length} of ${nodes.length}`);
  const empty = byId('nodes-empty');
  empty.hidden = shown.length > 0;
  setText(empty, nodes.length === 0
    ? 'No node has turned up yet. Power on a server whose NIC is on a provisioning network; it appears here by itself.'
    : 'No node matches.');
}

function drawTallies(nodes) {
  const count = state => nodes.filter(filters[state] ?? (node => node.state === state)).length;
  const tallies = [{ key: 'all', label: nodes.length === 1 ? 'node' : 'nodes', count: nodes.length }];
  for (const [key, tone] of [['booting', 'busy'], ...Object.entries(tones), ['trouble', 'bad']]) {
    const number = count(key);
    // "trouble" is worth a tally of its own only where it is more than the failed ones.
    if (number === 0 || (key === 'trouble' && number === count('failed'))) { if (wanted.state === key) wanted.state = null; continue; }
    tallies.push({ key, label: key === 'trouble' ? 'with a problem' : key, count: number, tone });
  }
  const isPressed = tally => (wanted.state ?? 'all') === tally.key;
  reconcile(byId('tallies'), tallies, tally => tally.key, tally => `${tally.count}|${isPressed(tally)}|${tally.label}`, tally =>
    el('button', { class: 'tally', type: 'button', 'aria-pressed': String(isPressed(tally)), data: tally.tone ? { tone: tally.tone } : {} }, el('b', {}, String(tally.count)), el('span', {}, tally.label)));
}

function drawBooting(nodes, latest, now) {
  byId('booting').hidden = nodes.length === 0;
  // A storm is a list like any other; the cards are for looking at each.
  const shown = nodes.slice(0, 12);
  setText(byId('booting-title'), nodes.length > shown.length ? `Booting now (${shown.length} of ${nodes.length})` : 'Booting now');
  const elapsed = node => (now - Date.parse(node.boot.started)) / 1000;
  const isStalled = node => elapsed(node) > stalledAfter;
  reconcile(byId('booting-list'), shown, node => node.name, node => `${node.boot.stage}|${node.boot.started}|${node.state}|${isStalled(node)}|${latest.get(node.name)?.sequence}`, node =>
    el('li', {}, el('button', { class: 'boot-card', type: 'button', data: { stalled: isStalled(node) } },
      el('span', { class: 'boot-top' }, el('b', {}, node.name), el('span', { class: 'faint' }, node.firmware ?? ''), el('span', { class: 'faint', data: { since: node.boot.started } }, seconds(elapsed(node)))),
      progress(node.boot, true),
      el('span', { class: 'boot-said' }, isStalled(node) ? 'Nothing for long: open it to see why' : latest.get(node.name)?.message ?? 'asks for an address'))));
  for (const clock of byId('booting-list').querySelectorAll('[data-since]')) setText(clock, seconds((now - Date.parse(clock.dataset.since)) / 1000));
}

const tookFor = boot => boot?.finished ? `took ${seconds((Date.parse(boot.finished) - Date.parse(boot.started)) / 1000)}` : '';

const rowPrint = node => JSON.stringify([node.state, node.ip, node.mac, node.problem, node.location, node.firmware, node.modules, isBooting(node) ? node.boot.stage : node.boot?.finished]);

function row(node) {
  const booting = isBooting(node);
  return el('li', {}, el('button', { class: 'row row-button', type: 'button', 'aria-label': `${node.name}, ${node.state}${node.problem ? `, ${node.problem}` : ''}: show details` },
    el('span', { class: 'row-name' }, node.name),
    el('span', { class: 'row-state' }, el('span', { class: 'chip', data: { tone: tones[node.state] ?? 'off' } }, node.state)),
    el('span', { class: 'row-boot' }, booting ? progress(node.boot, false) : null, el('small', { class: 'faint' }, booting ? stages[stageIndex(node.boot)]?.[1] ?? 'asking' : tookFor(node.boot))),
    el('span', { class: 'row-address' }, node.ip ?? '', el('small', {}, node.mac)),
    el('span', { class: 'row-where' }, place(node)),
    el('span', { class: 'row-modules' }, node.modules.map(module => module.state === 'running' ? module.name : `${module.name} (${module.state})`).join(', ')),
    node.problem ? el('span', { class: 'row-problem' }, node.problem) : null));
}
