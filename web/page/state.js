// The state of the page, in its link: after `#`, the view, then the settings of all views by name.

/** The least time between two changes of the link, in milliseconds: browsers refuse more than 100 in half a minute. */
const PAUSE = 400;
/** Marks the entries of the history that the page has made. */
const OWN = 'own';

function read() {
  const [view, ...settings] = location.hash.slice(1).split('&');
  return { view, settings: new URLSearchParams(settings.join('&')) };
}
const state = read();
const text = () => `#${[state.view || 'draw', state.settings].filter(part => String(part)).join('&')}`;

let written = -PAUSE, waiting = null;
function write() {
  clearTimeout(waiting);
  waiting = null;
  written = performance.now();
  history.replaceState(OWN, '', text());
}
// An entry of the page's own names a view; a link that someone has entered names settings too.
addEventListener('hashchange', () => {
  const { view, settings } = read();
  state.view = view;
  if (history.state !== OWN) settings.forEach((value, name) => state.settings.set(name, value));
  write();
});

export const link = {
  /** The name of the view. */
  view: () => state.view,
  /** A setting, or an empty text. */
  get: name => state.settings.get(name) ?? '',
  /** Changes settings, without a new entry in the history. An empty text removes one. */
  set(changes) {
    for (const [name, value] of Object.entries(changes)) {
      value === '' ? state.settings.delete(name) : state.settings.set(name, value);
    }
    waiting ??= setTimeout(write, Math.max(0, written + PAUSE - performance.now()));
  },
  /** Writes what has not been written to the link yet. */
  flush() {
    if (waiting !== null) write();
  },
  /** Shows another view. The settings stay. */
  go(view) {
    this.flush();
    state.view = view;
    location.hash = text();
    write();
  },
};
