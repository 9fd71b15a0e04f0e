import { byId } from './dom.js';

/** Resolves once a person has given the token that callers beyond this machine need; it stays in this tab. */
export function askForToken() {
  const dialog = byId('token-dialog');
  if (!dialog.open) dialog.showModal();
  return new Promise(resolve => dialog.addEventListener('close', () => {
    sessionStorage.setItem('token', byId('token').value.trim());
    byId('token').value = '';
    resolve();
  }, { once: true }));
}
