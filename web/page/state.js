// The state of the page, in its link: after `#`, the view, then settings by name.

const read = () => {
  const [view, ...settings] = location.hash.slice(1).split('&');
  return [view, new URLSearchParams(settings.join('&'))];
};

export const link = {
  /** The name of the view. */
  view: () => read()[0],
  /** A setting, or an empty text. */
  get: name => read()[1].get(name) ?? '',
  /** Changes settings, without a new entry in the history. An empty text removes one. */
  set(changes) {
    const [view, settings] = read();
    for (const [name, value] of Object.entries(changes)) value === '' ? settings.delete(name) : settings.set(name, value);
    history.replaceState(null, '', `#${[view || 'draw', settings].filter(part => String(part)).join('&')}`);
  },
  /** Shows another view with these settings. */
  go(view, settings = {}) {
    location.hash = [view, new URLSearchParams(settings)].filter(part => String(part)).join('&');
  },
};
