// Puzzles: kernels to write, which a worker checks in its simulator and then on the adapter.

import { editor } from './editor.js';
import { link } from './state.js';
import { store } from './store.js';

const $ = id => document.getElementById(id);
const text = name => `puzzle ${name}`, passed = name => `passed ${name}`;

/** The comment with which a stub begins, with its empty line, and the code below it. */
function parts(stub) {
  const [task] = stub.match(/^(\/\/.*\n)*\n*/);
  return { task, code: stub.slice(task.length) };
}

/** The paragraphs of a task, but for its title. Lines of a paragraph are joined, unless they are a table. */
function paragraphs(task) {
  const texts = task.replace(/^\/\/ ?/gm, '').trim().split('\n\n').slice(1);
  return texts.map(text => {
    const isTable = /\S {2,}\S/.test(text), made = document.createElement('p');
    made.className = isTable ? 'table' : '';
    made.textContent = isTable ? text : text.replaceAll('\n', ' ');
    return made;
  });
}

/** A worker, and `ask(question, said)`, which resolves to its answer. After an error it is of no more use. */
function start() {
  const worker = new Worker('puzzle-worker.js', { type: 'module' });
  const ask = (question, said) => new Promise((resolve, reject) => {
    const fail = message => { worker.terminate(); reject(new Error(message)); };
    worker.onmessage = ({ data }) => {
      if (data.progress) said(data.progress);
      else data.error ? fail(data.error) : resolve(data);
    };
    worker.onerror = ({ message }) => fail(message || 'the module of the puzzles cannot be loaded');
    if (question) worker.postMessage(question);
  });
  return { ask, end: () => worker.terminate() };
}

/** Shows the view when the link first names it. */
export function puzzles() {
  let begun = false;
  async function visit() {
    if (begun || link.view() !== 'puzzles') return;
    begun = true;
    $('puzzle-progress').textContent = 'Loading the puzzles …';
    try {
      const worker = start();
      view((await worker.ask()).puzzles, worker);
    } catch (error) {
      $('puzzle-progress').textContent = `The puzzles cannot be shown: ${error.message}`;
    }
  }
  addEventListener('hashchange', visit);
  visit();
}

function view(stubs, worker) {
  const list = stubs.map(puzzle => ({ ...puzzle, ...parts(puzzle.stub) }));
  const write = editor($('kernel'), $('gutter'), value => {
    const unchanged = value === puzzle.code;
    store.set(text(puzzle.name), unchanged ? null : value);
    $('puzzle-reset').disabled = unchanged;
    $('puzzle-jump').hidden = true;
    if (checking) forget();
  });
  /** The puzzle that is shown, and the number of the newest check: what an older one finds is not shown. */
  let puzzle = null, round = 0, checking = false;

  const items = list.map(one => {
    const item = document.createElement('li'), button = document.createElement('button');
    const [number, title, mark] = [String(one.number), `${one.name}: ${one.title}`, ''].map(part => {
      const span = document.createElement('span');
      span.textContent = part;
      return span;
    });
    button.append(number, title, mark);
    button.onclick = () => { link.set({ puzzle: one.name }); show(); };
    item.append(button);
    $('puzzle-list').append(item);
    return { button, mark };
  });
  function progress() {
    list.forEach(({ name }, i) => {
      const done = store.get(passed(name)) !== null;
      items[i].button.classList.toggle('passed', done);
      items[i].mark.textContent = done ? 'passed' : '';
    });
    $('puzzle-progress').textContent = `${list.filter(({ name }) => store.get(passed(name)) !== null).length} of ${list.length} passed`;
  }

  function say(words, kind = '') {
    $('verdict').textContent = words;
    $('verdict').className = kind;
    $('verdict').hidden = !words;
    $('puzzle-jump').hidden = true;
  }

  /** Shows the puzzle that the link names, or the first that has not passed. */
  function show() {
    const named = list.find(({ name }) => name === link.get('puzzle'));
    const next = named ?? list.find(({ name }) => store.get(passed(name)) === null) ?? list[0];
    if (next === puzzle) return;
    puzzle = next;
    forget();
    items.forEach(({ button }, i) => button.setAttribute('aria-current', String(list[i] === puzzle)));
    $('puzzle-title').textContent = `${puzzle.number}. ${puzzle.name}: ${puzzle.title}`;
    $('puzzle-solution').open = false;
    $('puzzle-solution').querySelector('pre').textContent = puzzle.solution;
    $('puzzle-hints').replaceChildren();
    hints();
    $('puzzle-task').replaceChildren(...paragraphs(puzzle.task));
    write.show(store.get(text(puzzle.name)) ?? puzzle.code, puzzle.task.split('\n').length - 1);
    $('puzzle-reset').disabled = write.value() === puzzle.code;
  }

  function hints() {
    const given = $('puzzle-hints').children.length, count = puzzle.hints.length;
    $('puzzle-hint').disabled = given === count;
    $('puzzle-hint').textContent = given === count ? 'No more hints' : `Hint ${given + 1} of ${count}`;
  }
  $('puzzle-hint').onclick = () => {
    const hint = document.createElement('li');
    hint.textContent = puzzle.hints[$('puzzle-hints').children.length];
    $('puzzle-hints').append(hint);
    hints();
  };
  $('puzzle-reset').onclick = () => { write.replace(puzzle.code); say(''); };

  /** Shows nothing of a check that still runs: its kernel is no longer the one that is shown. */
  function forget() {
    round++;
    say('');
    $('puzzle-check').disabled = false;
  }

  /** Checks the kernel. A check that still runs is ended. */
  async function check() {
    const mine = ++round, { name, task } = puzzle;
    const current = () => mine === round;
    write.mark(0);
    $('puzzle-check').disabled = true;
    if (checking) { worker.end(); worker = null; }
    checking = true;
    say('Running in the simulator …');
    try {
      if (!worker) { worker = start(); await worker.ask(); }
      const { verdict } = await worker.ask({ name, wgsl: task + write.value() }, words => { if (current()) say(words); });
      if (verdict.passed) {
        store.set(passed(name), 'yes');
        progress();
      }
      if (current()) conclude(verdict);
    } catch (error) {
      worker = null;
      if (current()) say(`The check stopped: ${error.message}`, 'failed');
    }
    checking = false;
    if (current()) $('puzzle-check').disabled = false;
  }

  function conclude({ passed, text: words, line, column }) {
    say(words, passed ? 'passed' : 'failed');
    write.mark(line);
    $('puzzle-jump').hidden = !line;
    $('puzzle-jump').textContent = `Go to line ${line}`;
    $('puzzle-jump').onclick = () => write.go(line, column);
  }
  $('puzzle-check').onclick = check;
  $('kernel').addEventListener('keydown', event => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (!$('puzzle-check').disabled) check();
  });

  $('puzzle-storage').hidden = store.lasts;
  $('puzzle-work').hidden = false;
  progress();
  addEventListener('hashchange', () => { if (link.view() === 'puzzles') show(); });
  show();
}
