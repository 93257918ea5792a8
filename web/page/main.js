// Start: the adapter, the network, and the view that the link names.

import { draw } from './draw.js';
import { open } from './engine.js';
import { learn } from './learn.js';
import { measure } from './measure.js';
import { sample } from './sample.js';
import { link } from './state.js';

const $ = id => document.getElementById(id);
const VIEWS = ['draw', 'sample', 'learn', 'measure'];

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
    name === view ? tab.setAttribute('aria-current', 'page') : tab.removeAttribute('aria-current');
  }
  learning?.(view === 'learn');
}

async function load(file) {
  const answer = await fetch(file);
  if (!answer.ok) throw new Error(`${file} cannot be loaded: ${answer.status} ${answer.statusText}`);
  return new Uint8Array(await answer.arrayBuffer());
}

try {
  const [network, classifier] = ['mnist.safetensors', 'classifier.safetensors'].map(load);
  const engine = await open();
  $('adapter').textContent = engine.describe();
  say('Compiling the shaders …');
  /** The network that draws and samples, for single images and for several. */
  const models = { single: await engine.model(await network, 1) };
  const edit = draw(models, await engine.recogniser(await classifier, 3));
  let resample = () => {};
  learning = learn(engine, async bytes => {
    const [single, several] = [await engine.model(bytes, 1), await engine.model(bytes, 8)];
    Object.assign(models, { single, several });
    link.go('draw');
    edit();
    resample();
  });
  measure(engine);
  addEventListener('hashchange', show);
  show();
  say('');
  models.several = await engine.model(await network, 8);
  resample = sample(models, image => { link.go('draw'); edit(image); });
  document.body.dataset.ready = 'yes';
} catch (error) {
  console.error(error);
  say(String(error.message ?? error), true);
}
