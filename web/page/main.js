// Start: the adapter, the network, and the view that the link names.

import { draw } from './draw.js';
import { open } from './engine.js';
import { learn } from './learn.js';
import { measure } from './measure.js';
import { sample } from './sample.js';
import { link } from './state.js';
import { tape } from './tape.js';

const $ = id => document.getElementById(id);
const VIEWS = ['draw', 'sample', 'learn', 'tape', 'measure'];

function say(text, failed = false) {
  $('status').textContent = text;
  $('status').hidden = !text;
  $('status').classList.toggle('failed', failed);
}

let learning;
function show() {
  const view = VIEWS.includes(link.view()) ? link.view() : VIEWS[0];
  for (const name of VIEWS) {
    $(name).hidden = name !== view;
    const tab = document.querySelector(`nav a[href="#${name}"]`);
    if (name === 'learn') learning?.shown(name === view);
    name === view ? tab.setAttribute('aria-current', 'page') : tab.removeAttribute('aria-current');
  }
}

try {
  const bytes = fetch('mnist.safetensors').then(async answer => {
    if (!answer.ok) throw new Error(`the network cannot be loaded: ${answer.status} ${answer.statusText}`);
    return new Uint8Array(await answer.arrayBuffer());
  });
  const engine = await open();
  $('adapter').textContent = engine.describe();
  say('Compiling the shaders …');
  const single = await engine.model(await bytes, 1);
  const edit = draw(single);
  learning = learn(engine);
  measure(engine);
  tape(engine);
  addEventListener('hashchange', show);
  show();
  say('');
  const several = await engine.model(await bytes, 8);
  await sample(several, single, image => { link.go('draw'); edit(image); });
  document.body.dataset.ready = 'yes';
} catch (error) {
  console.error(error);
  say(String(error.message ?? error), true);
}
