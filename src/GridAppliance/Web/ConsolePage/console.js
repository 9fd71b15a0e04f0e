import { get, onTokenNeeded, post } from './api.js';
import { byId, el, setText } from './dom.js';
import { askForToken } from './token.js';
import { moment } from './words.js';

// One node's console. Binary frames are octets both ways; text frames say who types and what happened. The terminal is xterm.js.

const longestPause = 5_000;
const largestFrame = 4096;  // a paste goes out in pieces, in order
const foundLines = 500;
const noticeFor = 6_000;
const upgradeRequired = 426;
// What a running system would suffer from is asked again.
const doubted = { soft: 'shut down', off: 'switched off at once', cycle: 'switched off and on', reset: 'reset' };

const node = decodeURIComponent(location.pathname.slice('/console/'.length));
const path = `nodes/${encodeURIComponent(node)}`;
const encoder = new TextEncoder();

let socket = null;
let state = { connected: false, writer: null, you: false, viewers: 0, port: '' };
let noticeTimer = null;

if (!globalThis.Terminal) {
  const missing = `this appliance was built without the browser's terminal; use: gridctl console ${node}`;
  setText(byId('port'), missing);
  throw new Error(missing);
}

const terminal = new Terminal({ cols: 80, rows: 24, scrollback: 10_000, cursorBlink: true, fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace', fontSize: 14 });
const fit = new FitAddon.FitAddon();

start();

async function start() {
  setText(byId('node'), node);
  document.title = `${node} · console`;
  onTokenNeeded(askForToken);
  terminal.loadAddon(fit);
  terminal.open(byId('screen'));
  terminal.onData(text => type(encoder.encode(text)));
  // Mouse reports are octets, not text.
  terminal.onBinary(text => type(Uint8Array.from(text, c => c.charCodeAt(0) & 0xff)));
  terminal.onResize(tellSize);
  new ResizeObserver(() => fit.fit()).observe(byId('screen'));
  byId('take').addEventListener('click', take);
  byId('break').addEventListener('click', () => { ask({ type: 'break' }); terminal.focus(); });
  byId('sysrq').addEventListener('change', sysrq);
  byId('power').addEventListener('change', power);
  byId('power-dialog').addEventListener('close', () => { if (byId('power-dialog').returnValue === 'yes') switchTo(byId('power-dialog').dataset.action); terminal.focus(); });
  byId('search').addEventListener('submit', search);
  byId('found-close').addEventListener('click', () => { byId('found').hidden = true; fit.fit(); terminal.focus(); });
  terminal.focus();
  draw();
  await stayAttached();
}

async function stayAttached() {
  let pause = 250;
  while (true) {
    try {
      // A WebSocket that is refused does not say why; asked for plainly, the node does, and the token is asked for.
      await get(path);
      if (!await attach(() => { pause = 250; })) await sayWhyNot();
    } catch (error) {
      notice(error.message);
    }
    state = { ...state, connected: false, you: false };
    link('lost');
    draw();
    await new Promise(resolve => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, longestPause);
  }
}

/** Throws the reason for which the console lets nobody in: as full as it may be, or not there. */
async function sayWhyNot() {
  try {
    await get(`${path}/console`);
  } catch (error) {
    // Nothing is wrong but that this was no WebSocket.
    if (error.status !== upgradeRequired) throw error;
  }
}

/** Resolves when the connection has ended, with whether there was one. */
function attach(opened) {
  const token = sessionStorage.getItem('token');
  const url = new URL(`/api/v1/${path}/console?mode=view&via=browser`, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  let wasOpen = false;
  return new Promise(resolve => {
    socket = new WebSocket(url, token ? ['grid.console', `grid.token.${token}`] : ['grid.console']);
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => {
      wasOpen = true;
      opened();
      // The recent past comes again.
      terminal.reset();
      link('live');
      tellSize();
    });
    socket.addEventListener('message', ({ data }) => { if (typeof data === 'string') hear(JSON.parse(data)); else terminal.write(new Uint8Array(data)); });
    socket.addEventListener('close', event => {
      if (event.reason) notice(event.reason);
      resolve(wasOpen);
    });
  });
}

function hear(message) {
  if (message.type === 'state') {
    state = { connected: message.connected, writer: message.writer ?? null, you: message.you, viewers: message.viewers, port: message.port };
    draw();
  } else if (message.type === 'mark' || message.type === 'refused') {
    notice(message.text);
    // Where in the stream it happened; a node cannot forge it, since only our own words stand in a text frame.
    if (message.type === 'mark') terminal.write(`\x1b[0m\r\n\x1b[2m[${message.text.replace(/[^\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd]/g, ' ')}]\x1b[0m\r\n`);
  }
}

function draw() {
  setText(byId('port'), state.port || '');
  setText(byId('who'), state.you ? 'You type here' : state.writer ? `${state.writer} types here` : 'Nobody types here');
  byId('who').dataset.you = state.you;
  byId('who').title = `${state.viewers} ${state.viewers === 1 ? 'looks' : 'look'} at this console`;
  setText(byId('take'), state.you ? 'Let others type' : state.writer ? 'Take over' : 'Type here');
  byId('take').dataset.does = state.you ? 'release' : state.writer ? 'take-over' : 'claim';
  byId('break').disabled = byId('sysrq').disabled = !state.you;
  if (socket?.readyState === WebSocket.OPEN) link(state.connected ? 'live' : 'down');
}

function link(is) {
  byId('link').dataset.link = is === 'live' ? 'live' : 'lost';
  setText(byId('link-text'), { live: 'line is open', down: 'the line is down; it is being tried', lost: 'connection lost, trying again' }[is]);
}

function type(octets) {
  if (socket?.readyState !== WebSocket.OPEN) return;
  if (!state.you) {
    if (state.writer) { notice(`${state.writer} types here: take over first`); return; }
    ask({ type: 'claim' });
  }
  for (let at = 0; at < octets.length; at += largestFrame) socket.send(octets.subarray(at, at + largestFrame));
}

function take() {
  ask({ type: byId('take').dataset.does });
  terminal.focus();
}

function sysrq() {
  const key = byId('sysrq').value;
  byId('sysrq').value = '';
  if (key) ask({ type: 'sysrq', key });
  terminal.focus();
}

function power() {
  const action = byId('power').value;
  byId('power').value = '';
  if (!action) return;
  if (!doubted[action]) { switchTo(action); terminal.focus(); return; }
  setText(byId('power-title'), `Power of ${node}`);
  setText(byId('power-text'), `${node} is to be ${doubted[action]}.`);
  const dialog = byId('power-dialog');
  dialog.dataset.action = action;
  // Esc leaves it, too.
  dialog.returnValue = 'no';
  dialog.showModal();
}

async function switchTo(action) {
  try {
    if (action === 'status') {
      const { nodes: [now] } = await get(`power?range=${encodeURIComponent(node)}`);
      notice(`${node} is ${now.power}${now.problem ? `: ${now.problem}` : ''}`);
    } else {
      const { nodes: [done] } = await post('nodes/power', { range: node, action });
      notice(`power ${action}: ${done.message}`);
    }
  } catch (error) {
    notice(`power ${action}: ${error.message}`);
  }
}

function tellSize() { ask({ type: 'resize', columns: terminal.cols, rows: terminal.rows }); }

function ask(request) { if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(request)); }

async function search(event) {
  event.preventDefault();
  const pattern = byId('pattern').value.trim();
  try {
    const lines = await get(`${path}/console/log?last=${foundLines}${pattern ? `&grep=${encodeURIComponent(pattern)}` : ''}`);
    setText(byId('found-title'), pattern ? `${lines.length === foundLines ? 'The newest ' : ''}${lines.length} line${lines.length === 1 ? '' : 's'} with ${pattern}` : 'Record');
    byId('lines').replaceChildren(...lines.map(line => el('li', { data: { kind: line.kind } }, el('time', { datetime: line.at }, moment(line.at)), el('span', {}, line.text))));
    byId('found').hidden = false;
    byId('lines').lastElementChild?.scrollIntoView({ block: 'nearest' });
    fit.fit();
  } catch (error) {
    notice(error.message);
  }
}

function notice(text) {
  setText(byId('notice'), text);
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => setText(byId('notice'), ''), noticeFor);
}

// For whoever looks from outside, such as a test: what the screen shows, and how large it is.
globalThis.consoleSize = () => `${terminal.cols}x${terminal.rows}`;
globalThis.consoleText = () => {
  const buffer = terminal.buffer.active;
  return Array.from({ length: buffer.length }, (_, row) => buffer.getLine(row).translateToString(true)).join('\n').trimEnd();
};
