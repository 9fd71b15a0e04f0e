import { get, post } from './api.js';
import { byId, el } from './dom.js';
import { progress } from './progress.js';
import { bytes, clock, isBooting, moment, place, tones } from './words.js';

// One node in full: why first, then what it is, then what happened.

let shown = null;
let drawing = 0;

export function initDrawer() {
  const drawer = byId('drawer');
  drawer.addEventListener('close', () => { shown = null; if (location.hash) history.replaceState(null, '', location.pathname); });
  drawer.addEventListener('click', event => { if (event.target === drawer) drawer.close(); });
  const openFromAddress = () => { const name = decodeURIComponent(location.hash.slice(1)); if (name) openNode(name); };
  addEventListener('hashchange', openFromAddress);
  openFromAddress();
}

export function openNode(name) {
  shown = name;
  history.replaceState(null, '', `#${encodeURIComponent(name)}`);
  refresh();
}

/** Something happened to this node: draw it again if it is the one that is open. */
export function nodeChanged(name) { if (name === shown) refresh(); }

async function refresh() {
  const name = shown;
  const turn = ++drawing;
  const drawer = byId('drawer');
  let parts;
  try {
    const path = `nodes/${encodeURIComponent(name)}`;
    const [node, why, timeline, ports] = await Promise.all([get(path), get(`${path}/why`), get(`${path}/timeline`), get(`${path}/ports`)]);
    parts = [head(node, ports.some(port => port.can.includes('console'))), el('div', { class: 'drawer-body' }, whyBox(node, why), facts(node), modules(node), hardware(node), happenings(timeline, node))];
  } catch (error) {
    parts = [head({ name, state: '' }), el('div', { class: 'drawer-body' }, el('p', {}, error.message))];
  }
  // A later refresh, or closing, has overtaken this one.
  if (turn !== drawing || name !== shown) return;
  const { scrollTop } = drawer;
  drawer.replaceChildren(...parts);
  if (!drawer.open) drawer.showModal();
  drawer.scrollTop = scrollTop;
}

const head = (node, hasConsole) => el('header', { class: 'drawer-head' },
  el('h2', { id: 'drawer-title' }, node.name),
  node.state ? el('span', { class: 'chip', data: { tone: tones[node.state] ?? 'off' } }, node.state) : null,
  hasConsole ? el('a', { class: 'console-link', href: `/console/${encodeURIComponent(node.name)}`, target: '_blank', rel: 'noopener' }, 'Console') : null,
  el('button', { class: 'quiet', type: 'button', 'aria-label': 'Close', on: { click: () => byId('drawer').close() } }, '✕'));

function whyBox(node, why) {
  const approve = el('button', { class: 'primary', type: 'button', on: { click: async event => {
    event.target.disabled = true;
    await post(`nodes/${encodeURIComponent(node.name)}/approve`, {}).catch(() => null);
    refresh();
  } } }, 'Approve');
  const tone = why.ok ? (isBooting(node) ? 'busy' : tones[node.state] ?? 'off') : node.state === 'failed' ? 'bad' : 'warn';
  return el('section', { class: 'why', data: { tone }, 'aria-label': 'Why' },
    el('p', {}, why.reason), why.nextStep ? el('p', { class: 'next' }, el('b', {}, 'Next: '), code(why.nextStep)) : null,
    node.state === 'held' ? approve : null,
    isBooting(node) ? el('p', { class: 'next' }, progress(node.boot, true)) : null);
}

// `like this` is a command.
const code = text => el('span', {}, text.split('`').map((part, index) => index % 2 ? el('code', {}, part) : part));

function list(title, pairs) {
  const there = pairs.filter(([, value]) => value);
  if (there.length === 0) return null;
  return el('section', {}, el('h3', {}, title), el('dl', { class: 'facts' }, there.flatMap(([label, value]) => [el('dt', {}, label), el('dd', {}, value)])));
}

const facts = node => list('Node', [
  ['Address', node.ip && el('span', { class: 'mono' }, node.ip)],
  ['MAC', el('span', { class: 'mono' }, node.macs.join(', '))],
  ['Place', place(node)],
  ['Firmware', [node.firmware?.toUpperCase(), node.arch].filter(Boolean).join(', ')],
  ['BMC', node.bmc && [node.bmc.kind, node.bmc.address].filter(Boolean).join(' ')],
  ['Agent', node.agent && `${node.agent.version ?? ''}${node.agent.lastSeen ? `, last heard ${clock(node.agent.lastSeen)}` : ''}`],
  ['Runs', node.image],
  ['Written to', node.disk && `${[node.disk.name, node.disk.serial].filter(Boolean).join(' ')}: ${node.disk.image} as ${node.disk.hostName}, ${moment(node.disk.since)}; wiped when released`],
  ['Doing', node.doing],
  ['UUID', node.uuid && el('span', { class: 'mono' }, node.uuid)],
  [`In state`, `since ${moment(node.stateSince)}`],
  ['First seen', moment(node.firstSeen)],
]);

const modules = node => node.modules.length === 0 ? null : el('section', {}, el('h3', {}, 'Modules'),
  el('dl', { class: 'facts' }, node.modules.flatMap(module => [el('dt', {}, module.name), el('dd', {}, `${module.version}, ${module.state}`)])));

function hardware({ inventory }) {
  if (!inventory) return null;
  return list('Hardware', [
    ['Machine', [inventory.vendor, inventory.product].filter(Boolean).join(' ')],
    ['Serial', inventory.serial],
    ['CPUs', `${inventory.cpus} × ${inventory.cpuModel ?? 'unknown'}`],
    ['Memory', bytes(inventory.memoryMiB * 2 ** 20)],
    ...inventory.disks.map(disk => ['Disk', [disk.name, bytes(disk.sizeBytes), disk.transport, disk.model].filter(Boolean).join(' ')]),
    ...inventory.nics.map(nic => ['NIC', [nic.name, nic.mac, nic.driver, nic.link ? (nic.speedMbps ? `${nic.speedMbps} Mb/s` : 'link') : 'no link',
      ...nic.neighbours.map(heard => `hears ${heard.systemName ?? heard.chassisId} ${heard.portDescription ?? heard.portId ?? ''}`)].filter(Boolean).join(', ')]),
    ['Kernel', inventory.kernel],
  ]);
}

function happenings(timeline, node) {
  const newest = timeline.events.slice(-150).reverse();
  const figure = (value, unit, label) => el('span', {}, el('b', {}, value), ` ${unit} `, el('span', { class: 'faint' }, label));
  return el('section', {}, el('h3', {}, 'Timeline'),
    node.boot || timeline.lastBootSeconds ? el('p', { class: 'share' },
      timeline.lastBootSeconds ? figure(timeline.lastBootSeconds.toFixed(1), 's', 'from first DISCOVER to idle') : null,
      figure(timeline.lastBootApplianceMs.toFixed(1), 'ms', 'of it inside the appliance')) : null,
    el('ol', { class: 'timeline' }, newest.map(event => el('li', { data: { severity: event.severity, state: event.kind.startsWith('state.') } },
      el('span', { class: 'what' }, event.message),
      el('time', { class: 'when', datetime: event.at, title: moment(event.at) }, event.sinceBootSeconds !== undefined ? `+${event.sinceBootSeconds.toFixed(1)} s` : clock(event.at)),
      event.applianceMs !== undefined || event.actor && event.actor !== 'appliance'
        ? el('small', {}, [event.applianceMs !== undefined ? `${event.applianceMs.toFixed(2)} ms in the appliance` : null, event.actor !== 'appliance' ? `by ${event.actor}` : null].filter(Boolean).join(' · '))
        : null))));
}
