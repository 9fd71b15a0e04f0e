import { byId, el, reconcile, setText } from './dom.js';

// The switches as their fronts look: a cell for each port, coloured by its VLAN, with the node that is behind it; below them who reaches which storage.

/** Neighbouring numbers get colours far apart (the golden angle). */
const hue = vlan => Math.round(vlan * 137.508) % 360;

const words = {
  access: port => `VLAN ${port.untagged.join(', ')}`,
  trunk: port => `trunk: ${port.untagged.length ? `VLAN ${port.untagged.join(', ')} and ` : ''}${port.tagged.join(', ')} tagged`,
  isolated: () => 'in no VLAN',
  mixed: () => 'an odd mixture of VLANs',
  unknown: port => (port.pvid ? `VLANs unknown, PVID ${port.pvid}` : 'VLANs unknown'),
};

export function drawFabric(map, openNode) {
  const section = byId('fabric');
  section.hidden = !map || map.switches.length + map.storage.length === 0;
  if (section.hidden) return;
  setText(byId('fabric-count'), `${map.placements.length} NIC${map.placements.length === 1 ? '' : 's'} placed`
    + (map.unplaced.length ? `, ${map.unplaced.length} node${map.unplaced.length === 1 ? '' : 's'} nowhere to be seen` : ''));
  reconcile(byId('fabric-findings'), map.findings, finding => finding.kind + finding.message, finding => finding.message, finding => el('li', {}, finding.message));
  // A port from which somebody sends in another's name is marked where it is; one whose port no switch has told is said in words alone.
  const forgers = new Map(map.forged.filter(one => one.port).map(one => [`${one.switch}/${one.port}`, one]));
  reconcile(byId('fabric-forged'), map.forged, one => one.network + one.mac + one.ip, one => one.message + one.packets, one => el('li', {}, `${one.message} (${one.packets} frame${one.packets === 1 ? '' : 's'})`));
  reconcile(byId('fabric-switches'), map.switches, one => one.name,
    one => JSON.stringify({ ...one, lastRead: null, forged: map.forged.filter(f => f.switch === one.name).map(f => f.port + f.message) }), one => drawSwitch(one, forgers, openNode));
  reconcile(byId('fabric-storage'), map.storage, one => one.name, one => JSON.stringify({ ...one, lastRead: null }), one => drawStorage(one, openNode));
  const vlans = [...new Set(map.switches.flatMap(one => one.ports.flatMap(port => [...port.untagged, ...port.tagged])))].sort((a, b) => a - b);
  reconcile(byId('fabric-vlans'), vlans, vlan => `vlan${vlan}`, vlan => String(vlan), vlan => coloured(el('li', {}, el('span', { class: 'swatch', 'aria-hidden': 'true' }), `VLAN ${vlan}`), vlan));
}

function drawSwitch(one, forgers, openNode) {
  const tone = one.state === 'ok' ? 'good' : one.state === 'trouble' ? 'bad' : 'busy';
  return el('article', { class: 'switch', 'aria-label': `switch ${one.name}` },
    el('h3', {}, one.name, ' ', el('span', { class: 'chip', data: { tone } }, one.state)),
    el('ol', { class: 'ports' }, one.ports.map(port => drawPort(one, port, forgers.get(`${one.name}/${port.name}`), openNode))));
}

function drawPort(one, port, forger, openNode) {
  const vlan = port.untagged[0] ?? port.tagged[0];
  const who = port.uplink ? `uplink: ${port.uplink}` : port.nodes.length ? port.nodes.join(', ') : port.addresses ? `${port.addresses} stranger${port.addresses === 1 ? '' : 's'}` : port.neighbour ?? '';
  const label = [`port ${port.name}`, port.enabled === false ? 'disabled' : port.link === false ? 'no link' : null, words[port.mode](port), who, forger?.message].filter(Boolean).join(', ');
  const short = port.uplink ? '⇅' : port.nodes[0] ?? (port.addresses ? '?' : '');
  const state = port.uplink ? 'uplink' : port.link === false || port.enabled === false ? 'down' : port.mode;
  const inside = [el('span', { class: 'port-name' }, shortName(port.name)), el('span', { class: 'port-who' }, short)];
  const cell = port.nodes.length
    ? el('button', { type: 'button', class: 'port', title: label, 'aria-label': label, on: { click: () => openNode(port.nodes[0]) } }, inside)
    : el('span', { class: 'port', title: label, role: 'img', 'aria-label': label }, inside);
  cell.dataset.state = state;
  if (port.tagged.length) cell.dataset.tagged = '';
  if (forger) cell.dataset.forged = '';
  return el('li', { data: { port: `${one.name}/${port.name}` } }, vlan ? coloured(cell, vlan) : cell);
}

/** A storage fabric: its zones, each with those who are in it and what they reach. */
function drawStorage(one, openNode) {
  const tone = one.state === 'ok' ? 'good' : one.state === 'trouble' ? 'bad' : 'busy';
  return el('article', { class: 'switch', 'aria-label': `storage fabric ${one.name}` },
    el('h3', {}, one.name, ' ', el('span', { class: 'chip', data: { tone } }, one.state), ' ', el('span', { class: 'faint' }, one.problem ?? one.address)),
    one.zones.length ? el('ul', { class: 'zones' }, one.zones.map(zone => el('li', { data: { zone: `${one.name}/${zone.name}` } },
      el('strong', {}, zone.name), ' ', zone.initiators.map(who => drawInitiator(who, openNode)), ' → ', el('span', { class: 'mono' }, zone.storage.map(shortPath).join(', ')))))
      : el('p', { class: 'faint' }, 'no zone of ours'));
}

function drawInitiator(who, openNode) {
  const until = who.until ? ` until ${new Date(who.until).toLocaleTimeString()}` : '';
  return who.node
    ? el('button', { type: 'button', class: 'chip', title: who.name, on: { click: () => openNode(who.node) } }, who.node + until)
    : el('span', { class: 'chip', title: who.name }, who.name + until);
}

/** Of a file that is served, its name. */
const shortPath = path => path.slice(path.lastIndexOf('/') + 1) || path;

/** Of GigabitEthernet1/0/17 the end is what tells it from its neighbours. */
const shortName = name => (name.length <= 7 ? name : `…${name.slice(-6)}`);

function coloured(element, vlan) {
  element.style.setProperty('--hue', hue(vlan));
  element.dataset.vlan = String(vlan);
  return element;
}
