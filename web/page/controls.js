// Controls: sliders, and the buttons with which a training runs.

import { enqueue } from './engine.js';

/**
 * Adds a slider to an element for each of `specs`: name, text, least, most, step, and how to show a value. All stand at 0 until
 * they are set. `changed` is called with the name of the slider that is moved.
 */
export function sliders(parent, specs, changed) {
  const inputs = new Map();
  const show = ({ input, output, shown }) => { output.textContent = input.ariaValueText = shown(Number(input.value)); };
  for (const { name, text, least, most, step, shown = String } of specs) {
    const [row, label, input, output] = ['div', 'label', 'input', 'output'].map(name => document.createElement(name));
    Object.assign(input, { id: `${parent.id}-${name}`, type: 'range', min: least, max: most, step, value: 0 });
    Object.assign(label, { htmlFor: input.id, textContent: text });
    const slider = { input, output, shown };
    input.oninput = () => { show(slider); changed(name); };
    inputs.set(name, slider);
    row.append(label, output, input);
    parent.append(row);
    show(slider);
  }
  return {
    get: name => Number(inputs.get(name).input.value),
    set(values) {
      for (const [name, value] of Object.entries(values)) {
        inputs.get(name).input.value = value;
        show(inputs.get(name));
      }
    },
  };
}

/** The sliders that every training has: weights of the losses, and the learning rate as a power of ten. */
export const LOSSES = [
  { name: 'rec', text: 'rec: data stay where they are', least: 0, most: 2, step: 0.05 },
  { name: 'idem', text: 'idem: f(z) becomes a fixed point', least: 0, most: 2, step: 0.05 },
  { name: 'tight', text: 'tight: no other fixed points', least: 0, most: 1, step: 0.02 },
  { name: 'rate', text: 'learning rate', least: -4, most: -1.5, step: 0.1, shown: power => (10 ** power).toPrecision(2) },
];

/** Selects the option of an element that has a value, or another if none has it. */
export function select(element, value, otherwise) {
  element.value = value;
  if (element.selectedIndex < 0) element.value = otherwise;
}

/**
 * Lets the buttons in an element switch single losses on, with the weights `start`: the buttons with `data-only`, of which an empty
 * one means all.
 */
export function only(parent, start, changed) {
  parent.querySelectorAll('[data-only]').forEach(button => {
    button.onclick = () => {
      const one = button.dataset.only;
      changed(Object.fromEntries(['rec', 'idem', 'tight'].map(name => [name, !one || one === name ? start[name] : 0])));
    };
  });
}

/** What to say of a training that has failed. */
export function stopped(error) {
  const reason = String(error.message ?? error);
  return `Stopped: ${reason}${reason.includes('diverged') ? '. Take a smaller learning rate, and begin from scratch' : ''}.`;
}

/** Lets the user choose a file with a button, and hands it to `use`. */
export function chosen(input, use) {
  input.onchange = () => {
    if (input.files[0]) use(input.files[0]);
    input.value = '';
  };
}

/**
 * The buttons of a training called `kind`. `advance(steps)` takes steps and shows them, `restart()` begins from scratch, and
 * `failed(error)` says what went wrong. As many steps are taken at once as fill a `frame`, in milliseconds.
 */
export function player(kind, { run, single, reset }, { frame, running, advance, restart, failed }) {
  let visible = false, count = 1, round = 0;

  async function timed(steps) {
    const start = performance.now();
    await advance(steps);
    count = Math.max(1, Math.min(50, Math.round(steps * frame / (performance.now() - start))));
  }
  const stop = error => { toggle(false); failed(error); };
  // A round of steps ends when the training pauses, is hidden, or another round begins.
  const goes = mine => running && visible && mine === round;
  const go = mine => enqueue(kind, () => (goes(mine) ? timed(count) : undefined)).then(() => {
    if (goes(mine)) requestAnimationFrame(() => go(mine));
  }).catch(stop);

  function toggle(to) {
    running = to;
    run.textContent = running ? 'Pause' : 'Run';
    if (running && visible) go(++round);
  }
  // Who pauses or runs it while it compiles is heeded.
  const again = () => enqueue(`${kind} again`, restart).then(() => toggle(running)).catch(stop);
  run.onclick = () => toggle(!running);
  single.onclick = () => { toggle(false); enqueue(`${kind} once`, () => timed(1)).catch(stop); };
  reset.onclick = again;
  toggle(running);
  return {
    again,
    run: () => toggle(true),
    shown(now) {
      if (now === visible) return;
      visible = now;
      if (running && visible) go(++round);
    },
  };
}
