// States, stages and figures as people read them.

export const tones = {
  discovered: 'busy', enrolling: 'busy', assigning: 'busy', releasing: 'busy', idle: 'good', active: 'good', held: 'warn', failed: 'bad', retired: 'off',
};

/** The stages of a boot in order, as the API names them and as the page does. */
export const stages = [['address', 'IP'], ['loader', 'loader'], ['script', 'script'], ['kernel', 'kernel'], ['initramfs', 'image'], ['agent', 'agent'], ['idle', 'ready']];

const outside = ['retired', 'failed', 'held'];
const joined = ['idle', 'assigning', 'active', 'releasing'];

/** Under way, by its progress; a node whose agent has called and that has joined has arrived, whatever its progress was when it was last looked at. */
export const isBooting = node => Boolean(node.boot && !node.boot.finished && !outside.includes(node.state) && !(joined.includes(node.state) && ['agent', 'idle'].includes(node.boot.stage)));

/** How far: -1 while it only asks, then an index into `stages`. */
export const stageIndex = boot => stages.findIndex(([stage]) => stage === boot.stage);

export function seconds(value) {
  if (value < 120) return `${Math.max(0, Math.round(value))} s`;
  if (value < 7200) return `${Math.round(value / 60)} min`;
  return value < 172800 ? `${Math.round(value / 3600)} h` : `${Math.round(value / 86400)} days`;
}

export function bytes(value) {
  for (const [unit, size] of [['TiB', 2 ** 40], ['GiB', 2 ** 30], ['MiB', 2 ** 20]])
    if (value >= size) return `${(value / size).toFixed(value / size < 10 ? 1 : 0)} ${unit}`;
  return `${Math.round(value / 1024)} KiB`;
}

export const clock = text => new Date(text).toLocaleTimeString(undefined, { hour12: false });

export const moment = text => new Date(text).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium', hour12: false });

export const place = node => node.location ? [node.location.switch, node.location.port].filter(Boolean).join(' · ') : '';

const chunks = /(\d+)/;

/** n2 before n10. */
export function byName(a, b) {
  const left = a.name.split(chunks), right = b.name.split(chunks);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = i % 2 ? Number(left[i]) - Number(right[i]) : left[i] < right[i] ? -1 : left[i] > right[i] ? 1 : 0;
    if (order) return order;
  }
  return left.length - right.length;
}
