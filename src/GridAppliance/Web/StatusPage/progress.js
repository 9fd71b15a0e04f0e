import { el } from './dom.js';
import { stages, stageIndex } from './words.js';

/** A boot's progress: one segment per stage, with their names below where there is room. */
export function progress(boot, withNames) {
  const reached = stageIndex(boot);
  const whole = boot.stage === 'idle' || Boolean(boot.finished);
  const name = whole ? 'ready' : reached < 0 ? 'asking for an address' : stages[reached][1];
  const bar = el('span', {
    class: 'stages', role: 'progressbar', 'aria-label': 'Boot', 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-valuenow': boot.percent, 'aria-valuetext': `${name}, ${boot.percent} %`,
    data: { whole },
  }, stages.map((_, index) => el('i', { data: { done: index <= reached, now: !whole && index === reached + 1 } })));
  if (!withNames) return bar;
  return [bar, el('span', { class: 'stage-names', 'aria-hidden': 'true' }, stages.map(([, label], index) => el('span', { data: { now: !whole && index === reached } }, label)))];
}
