// The management plane as this page uses it: JSON over fetch, events over a fetch stream (EventSource cannot carry a token).

const silence = 30_000; // The appliance says "alive" every 10 s.
const longestPause = 5_000;

let askForToken = null;

/** `ask()` resolves once a person has given a token. */
export function onTokenNeeded(ask) { askForToken = ask; }

function headers(more) {
  const token = sessionStorage.getItem('token');
  return token ? { ...more, Authorization: `Bearer ${token}` } : more;
}

async function call(path, options) {
  while (true) {
    const response = await fetch(path, { ...options, headers: headers({ Accept: 'application/json', ...options?.headers }), cache: 'no-store' });
    if (response.status === 401 && askForToken) { await askForToken(); continue; }
    if (response.ok) return response.json();
    const problem = await response.json().catch(() => null);
    throw Object.assign(new Error(problem?.detail ?? `the appliance answered ${response.status}`), { status: response.status });
  }
}

export const get = path => call(`/api/v1/${path}`);

export const post = (path, body) => call(`/api/v1/${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });

/** Events after `after`, for ever. `heard(event)` for each; `link(state)` with 'live' or 'lost' as the connection comes and goes. */
export async function follow(after, heard, link) {
  let pause = 250;
  while (true) {
    try {
      await stream(after, event => { after = event.sequence; heard(event); }, () => { pause = 250; link('live'); });
    } catch (error) {
      if (error.status === 401 && askForToken) { await askForToken(); continue; }
    }
    link('lost');
    await new Promise(resolve => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, longestPause);
  }
}

async function stream(after, heard, opened) {
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(), silence);
  try {
    const response = await fetch('/api/v1/events', {
      headers: headers({ Accept: 'text/event-stream', 'Last-Event-ID': String(after) }), cache: 'no-store', signal: abort.signal,
    });
    if (!response.ok) throw Object.assign(new Error('no stream'), { status: response.status });
    opened();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    while (true) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => abort.abort(), silence);
      const blocks = (rest + value).split('\n\n');
      rest = blocks.pop();
      for (const block of blocks) {
        const event = parse(block);
        if (event) heard(event);
      }
    }
  } finally { clearTimeout(timer); }
}

// Only what our own appliance sends: one data line per event; other event types ("alive") say nothing.
function parse(block) {
  let data = null;
  for (const line of block.split('\n')) {
    if (line.startsWith('event:')) return null;
    if (line.startsWith('data: ')) data = line.slice(6);
  }
  return data === null ? null : JSON.parse(data);
}
