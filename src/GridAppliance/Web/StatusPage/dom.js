// Elements are made by hand and text is only ever set as text: nothing that a node says can become markup.

/** Makes an element: el('span', { class: 'chip', data: { tone: 'good' } }, 'idle'). Children that are null are left out. */
export function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'data') Object.assign(element.dataset, value);
    else if (name === 'on') for (const [event, handler] of Object.entries(value)) element.addEventListener(event, handler);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.flat().filter(child => child !== null && child !== undefined && child !== ''));
  return element;
}

export const byId = id => document.getElementById(id);

/** Sets text only when it differs, so that what a screen reader or a selection holds on to stays. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Makes the children of `list` equal to `items`, in order, keeping elements whose key stays and redrawing only those whose print has changed.
 * `draw(item)` returns a fresh element.
 */
export function reconcile(list, items, keyOf, printOf, draw) {
  const before = new Map([...list.children].map(child => [child.dataset.key, child]));
  let next = list.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    const print = printOf(item);
    let element = before.get(key);
    before.delete(key);
    if (!element || element.dataset.print !== print) {
      const fresh = draw(item);
      fresh.dataset.key = key;
      fresh.dataset.print = print;
      if (element) {
        const focused = element.contains(document.activeElement);
        if (next === element) next = fresh;
        element.replaceWith(fresh);
        if (focused) (fresh.querySelector('button') ?? fresh).focus();
      }
      element = fresh;
    }
    if (element === next) next = next.nextElementSibling;
    else list.insertBefore(element, next);
  }
  for (const gone of before.values()) gone.remove();
}
