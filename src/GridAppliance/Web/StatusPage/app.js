import { follow, get, onTokenNeeded } from './api.js';
import { byId, el, reconcile, setText } from './dom.js';
import { initDrawer, nodeChanged, openNode } from './drawer.js';
import { drawFabric } from './fabric.js';
import { drawGrids } from './grids.js';
import { drawNodes, initNodes } from './nodes.js';
import { askForToken } from './token.js';
import { clock, seconds } from './words.js';

// One page, one copy of what the appliance knows: fetched once, kept up to date by its events, and fetched whole again now and then for what no event tells.

const eventsShown = 40;
const fewNodes = 8;      // up to here changed nodes are fetched by name, beyond it all at once
const wholeEvery = 20_000;
const gridsEvery = 3_000; // what an engine has to do is told by no event

const nodes = new Map();
const latest = new Map(); // newest event of each node
let status = null;
let fabric = null;
let grids = [];
let recent = [];
let skew = 0;             // the appliance's clock less ours
const dirty = new Set();

const now = () => Date.now() + skew;
const draw = once(drawAll, 50);
const refreshNodes = once(fetchDirty, 200);
const refreshStatus = once(fetchStatus, 600);
const refreshFabric = once(fetchFabric, 400);
const refreshGrids = once(fetchGrids, 300);
const aboutFabric = /^(switch|fabric|guard|san)\.|^node\.(located|moved|removed)$/;

start();

async function start() {
  initTheme();
  onTokenNeeded(askForToken);
  initNodes(draw, openNode);
  await firstLook();
  initDrawer();
  setInterval(() => { draw(); }, 1000);
  setInterval(() => { if (grids.length) refreshGrids(); }, gridsEvery);
  setInterval(() => { fetchAll().catch(() => null); }, wholeEvery);
  await follow(recent[0]?.sequence ?? 0, heard, link);
}

async function firstLook() {
  while (true) {
    try {
      const events = await get('events');
      recent = events.slice(-eventsShown).reverse();
      for (const event of events) if (event.node) latest.set(event.node, event);
      await fetchAll();
      return;
    } catch {
      link('lost');
      await new Promise(resolve => setTimeout(resolve, 1000));
    }
  }
}

function heard(event) {
  recent = [event, ...recent].slice(0, eventsShown);
  if (event.node) {
    latest.set(event.node, event);
    if (event.kind === 'node.removed') nodes.delete(event.node); else dirty.add(event.node);
    if (event.kind.startsWith('state.')) announce(`${event.node}: ${event.message}`);
    nodeChanged(event.node);
    refreshNodes();
  }
  if (aboutFabric.test(event.kind)) refreshFabric();
  if (event.kind.startsWith('grid.')) refreshGrids();
  refreshStatus();
  draw();
}

async function fetchFabric() {
  // An appliance without switches has a map too, an empty one; one that cannot say is no reason to show nothing else.
  fabric = await get('fabric/map').catch(() => fabric);
  draw();
}

async function fetchGrids() {
  grids = await get('grids').catch(() => grids);
  draw();
}

async function fetchAll() {
  const [everyone] = await Promise.all([get('nodes'), fetchStatus(), fetchFabric(), fetchGrids()]);
  nodes.clear();
  for (const node of everyone) nodes.set(node.name, node);
  draw();
}

async function fetchDirty() {
  const names = [...dirty];
  dirty.clear();
  const changed = await get(names.length <= fewNodes ? `nodes?range=${encodeURIComponent(names.join(','))}` : 'nodes').catch(() => []);
  for (const node of changed) nodes.set(node.name, node);
  draw();
}

async function fetchStatus() {
  status = await get('status');
  skew = Date.parse(status.now) - Date.now();
  draw();
}

function link(state) {
  byId('link').dataset.link = state;
  setText(byId('link-text'), state === 'live' ? 'live' : 'connection lost, trying again');
  // What was missed comes with the events; what has no events (progress, last seen) is asked for.
  if (state === 'live') fetchAll().catch(() => null);
}

function drawAll() {
  drawNodes(nodes.values(), latest, now());
  drawEvents();
  drawFabric(fabric, openNode);
  drawGrids(grids, openNode);
  if (!status) return;
  document.title = status.problems.length ? `(!) ${status.name} · GridAppliance` : `${status.name} · GridAppliance`;
  setText(byId('appliance'), status.name);
  setText(byId('tagline'), `up ${seconds((now() - Date.parse(status.started)) / 1000)} · nodes join ${status.enrollPolicy === 'approve' ? 'after approval' : 'by themselves'}`
    + (status.operationsRunning ? ` · ${status.operationsRunning} operation${status.operationsRunning === 1 ? '' : 's'} running` : ''));
  setText(byId('version'), `GridAppliance ${status.version}`);
  drawProblems();
  drawNetworks();
}

function drawProblems() {
  reconcile(byId('problems'), status.problems, problem => problem.code, problem => problem.message + problem.nextStep, problem => el('div', { class: 'problem' },
    el('p', {}, el('strong', {}, problem.message)),
    problem.nextStep ? el('p', {}, 'Next: ', problem.nextStep) : null));
}

function drawNetworks() {
  reconcile(byId('networks'), status.networks, network => network.name, network => JSON.stringify(network), network => {
    const meter = el('i');
    if (network.leasesTotal) meter.style.setProperty('--share', `${Math.min(100, 100 * network.leasesActive / network.leasesTotal)}%`);
    return el('li', {},
      el('div', { class: 'net-top' }, el('b', {}, network.name), el('span', { class: 'mono' }, network.address)),
      el('p', { class: 'faint' }, `${network.interface} · DHCP ${network.dhcp} · boot ${network.boot ? 'on' : 'off'}`),
      network.leasesTotal ? el('div', { class: 'meter', role: 'img', 'aria-label': `${network.leasesActive} of ${network.leasesTotal} addresses leased` }, meter) : null,
      network.leasesTotal ? el('p', { class: 'faint' }, `${network.leasesActive} of ${network.leasesTotal} addresses leased`) : null);
  });
}

function drawEvents() {
  reconcile(byId('events'), recent, event => String(event.sequence), () => '', event => el('li', {},
    el('time', { datetime: event.at }, clock(event.at)),
    el('span', { data: { severity: event.severity } }, el('b', {}, event.node ?? 'appliance'), ` ${event.message}`)));
}

const announce = throttled(text => setText(byId('announcer'), text), 1500);

function initTheme() {
  const themes = ['system', 'light', 'dark'];
  const marks = { system: '◐', light: '☀', dark: '☾' };
  const button = byId('theme');
  const show = theme => {
    if (theme === 'system') delete document.documentElement.dataset.theme; else document.documentElement.dataset.theme = theme;
    setText(button, marks[theme]);
    button.setAttribute('aria-label', `Colours: ${theme === 'system' ? 'as the system' : theme}`);
  };
  let theme = themes.includes(localStorage.getItem('theme')) ? localStorage.getItem('theme') : 'system';
  show(theme);
  button.addEventListener('click', () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    localStorage.setItem('theme', theme);
    show(theme);
  });
}

/** Runs `work` once for many calls, `delay` ms after the first of them, and never twice at a time. */
function once(work, delay) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    setTimeout(async () => {
      waiting = false;
      try { await work(); } catch { /* The link says when the appliance is away; the next look comes by itself. */ }
    }, delay);
  };
}

/** The newest of many calls, at most one per `delay` ms. */
function throttled(work, delay) {
  let timer = null;
  let newest = null;
  return value => {
    newest = value;
    timer ??= setTimeout(() => { timer = null; work(newest); }, delay);
  };
}
