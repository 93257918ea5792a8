// What outlives the page: texts by name in the browser's local storage, or only in memory where that is not available.

const PREFIX = 'ign ', memory = new Map();

let local = null;
try {
  localStorage.setItem(PREFIX, '');
  localStorage.removeItem(PREFIX);
  local = localStorage;
} catch { /* forbidden, or full */ }

export const store = {
  /** Whether texts outlive the page. */
  lasts: local !== null,
  /** A text, or null. */
  get: name => memory.get(name) ?? (memory.has(name) ? null : local?.getItem(PREFIX + name) ?? null),
  /** Keeps a text, or with null forgets it. */
  set(name, text) {
    memory.set(name, text);
    try {
      text === null ? local?.removeItem(PREFIX + name) : local?.setItem(PREFIX + name, text);
    } catch { /* full: the text is kept in memory */ }
  },
};
