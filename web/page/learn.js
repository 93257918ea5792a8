// Learn: in the plane, or on digits.

import { digits } from './digits.js';
import { plane } from './plane.js';
import { link } from './state.js';

const $ = id => document.getElementById(id);

/** Shows the view. `use` takes a network for the other views. Returns a function to be told whether it is shown. */
export function learn(engine, use) {
  const parts = { plane: plane(engine), digits: digits(engine, use) };
  let visible = false;

  function show() {
    const chosen = link.get('on') === 'digits' ? 'digits' : 'plane';
    for (const [name, shown] of Object.entries(parts)) {
      $(`on-${name}`).hidden = name !== chosen;
      document.querySelector(`[name=on][value=${name}]`).checked = name === chosen;
      shown(visible && name === chosen);
    }
  }
  document.querySelectorAll('[name=on]').forEach(radio => {
    radio.onchange = () => { link.set({ on: radio.value === 'plane' ? '' : radio.value }); show(); };
  });
  return now => { visible = now; show(); };
}
