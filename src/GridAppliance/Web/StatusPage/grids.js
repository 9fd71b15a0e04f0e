import { byId, el, reconcile, setText } from './dom.js';

// The pools that take requests: who is in each, how its engine has them, and what waits and runs there.

const mostJobs = 12;

/** Engines have words of their own for a job's state; these are the ones that still want something. */
const unfinished = /^(running|pending|configuring|completing|suspended|requeued|resizing)/i;

const memberTone = member => member.downSince || member.state === 'down' ? 'bad'
  : member.standing === 'joining' || member.standing === 'leaving' ? 'busy'
    : member.standing === 'drained' || member.state === 'drained' || member.state === 'draining' ? 'warn' : 'good';

const memberWord = member => member.downSince ? 'down' : member.standing !== 'member' ? member.standing : member.state ?? (member.role === 'master' ? 'master' : 'member');

export function drawGrids(grids, openNode) {
  byId('grids').hidden = grids.length === 0;
  setText(byId('grids-count'), `${grids.length} grid${grids.length === 1 ? '' : 's'}`);
  reconcile(byId('grids-list'), grids, grid => grid.name, grid => JSON.stringify({ ...grid, seen: null }), grid => drawGrid(grid, openNode));
}

function drawGrid(grid, openNode) {
  const moving = standing => grid.members.filter(member => member.standing === standing).length;
  const down = grid.members.filter(member => member.downSince).length;
  const tone = grid.problem || down ? 'bad' : grid.state === 'up' ? 'good' : 'busy';
  const said = [[moving('joining'), 'joining'], [moving('leaving'), 'leaving'], [down, 'down']].filter(([number]) => number).map(([number, word]) => `${number} ${word}`);
  return el('article', { class: 'grid', 'aria-label': `grid ${grid.name}` },
    el('h3', {}, grid.name, ' ', el('span', { class: 'chip', data: { tone } }, grid.state), ' ', el('span', { class: 'faint' }, [grid.engine, ...said].join(' · '))),
    grid.problem ? el('p', { class: 'grid-problem' }, grid.problem) : null,
    drawLoad(grid),
    el('ul', { class: 'grid-members' }, [...grid.members].sort((a, b) => Number(b.role === 'master') - Number(a.role === 'master')).map(member => drawMember(member, openNode))),
    drawQueue(grid));
}

/** How much of what the workers have is at work. */
function drawLoad(grid) {
  const sum = what => grid.members.reduce((total, member) => total + (member[what] ?? 0), 0);
  const [busy, all] = [sum('busyCpus'), sum('cpus')];
  if (!all) return null;
  const bar = el('i');
  bar.style.setProperty('--share', `${Math.min(100, 100 * busy / all)}%`);
  return el('div', { class: 'grid-load' }, el('div', { class: 'meter', role: 'img', 'aria-label': `${busy} of ${all} CPUs busy` }, bar), el('span', { class: 'faint' }, `${busy} of ${all} CPUs busy`));
}

function drawMember(member, openNode) {
  const load = member.cpus ? `${member.busyCpus}/${member.cpus}${member.load ? ` · ${member.load}` : ''}` : '';
  const word = memberWord(member);
  const label = [member.node, member.role, word, member.cpus ? `${member.busyCpus} of ${member.cpus} CPUs busy` : null, member.load ? `load ${member.load}` : null].filter(Boolean).join(', ');
  return el('li', { data: { member: member.node } }, el('button', { type: 'button', class: 'grid-member', 'aria-label': label, on: { click: () => openNode(member.node) } },
    el('b', {}, member.node),
    el('span', { class: 'chip', data: { tone: memberTone(member) } }, word),
    el('small', { class: 'faint' }, member.role === 'master' ? 'master' : load)));
}

function drawQueue(grid) {
  const counts = Object.entries(grid.jobCounts ?? {});
  if (!counts.length) return null;
  const jobs = [...grid.jobs].sort((a, b) => Number(unfinished.test(b.state)) - Number(unfinished.test(a.state))).slice(0, mostJobs);
  return el('div', { class: 'grid-queue' },
    el('p', { class: 'faint' }, `Queue: ${counts.map(([state, number]) => `${number} ${state.toLowerCase()}`).join(', ')}`),
    el('ol', {}, jobs.map(job => el('li', { data: { job: job.id } }, el('span', { class: 'mono' }, job.id), el('span', {}, job.name), el('span', { class: 'faint' }, `${job.state.toLowerCase()}${job.nodes ? ` on ${job.nodes}` : ''}`)))));
}
