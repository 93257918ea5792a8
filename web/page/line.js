// A line of a tape: what it computes, reads and became.

/** A time in seconds, in words. */
export function time(seconds) {
  const [scale, unit] = seconds < 1e-3 ? [1e6, 'µs'] : seconds < 1 ? [1e3, 'ms'] : [1, 's'];
  return `${Number((scale * seconds).toPrecision(3))} ${unit}`;
}

/** A count, with the prefix that makes it short. */
function count(value, unit) {
  const [scale, prefix] = value < 1e3 ? [1, ''] : value < 1e6 ? [1e-3, 'k'] : value < 1e9 ? [1e-6, 'M'] : [1e-9, 'G'];
  return `${Number((scale * value).toPrecision(3))} ${prefix}${unit}`;
}

function make(tag, text = '', kind = '') {
  const element = document.createElement(tag);
  element.textContent = text;
  if (kind) element.className = kind;
  return element;
}

/** Shows everything about line `id` in `panel`. `choose` is called with a line that it reads, or that reads it. */
export function describe(panel, { drawing, lines, id, seconds, choose }) {
  const line = lines[id];
  const facts = make('dl');
  const fact = (name, ...contents) => {
    const value = make('dd');
    value.append(...contents);
    facts.append(make('dt', name), value);
  };
  const links = ids => ids.map(other => {
    const button = make('button', `%${other} ${lines[other].name}`, `chip ${lines[other].lane}`);
    button.onclick = () => choose(other);
    return button;
  });

  fact('shape', line.shape === '[0]' ? 'none: the line updates state' : line.shape);
  for (const { usage, formula, gradient } of drawing.meanings(id)) {
    const cell = [make('code', usage), make('span', gradient ? ` = ${formula}` : `, in its gradient: ${formula}`)];
    if (gradient && gradient !== 'none') cell.push(make('span', `gradient: ${gradient}`, 'quiet gradient'));
    fact('formula', ...cell);
  }
  if (line.settings) fact(line.kind === 'constant' ? 'value' : 'recorded as', make('code', line.settings));
  if (line.reads.length) fact('reads', ...links([...new Set(line.reads)]));
  if (line.readers.length) fact('is read by', ...links([...line.readers]));
  const dispatches = [...line.dispatches];
  if (seconds) fact('time', dispatches.length ? time(dispatches.reduce((sum, i) => sum + seconds[i], 0)) : 'none: nothing runs');
  if (!dispatches.length) fact('becomes', nothing(line));

  const shaders = dispatches.map((number, i) => {
    const { kernel, constants, grid, bindings, cost: [flops, bytes], wgsl } = drawing.dispatch(number);
    const shader = make('details', '', 'shader'), text = source(wgsl.trim());
    shader.open = i === 0;
    shader.ontoggle = () => { text.scrollTop = text.lastElementChild.offsetTop; };
    const summary = make('summary');
    summary.append(make('code', kernel), make('span', ` ${grid}${seconds ? `, ${time(seconds[number])}` : ''}`, 'quiet'));
    const about = make('p', [constants, `${count(flops, 'flop')}, ${count(bytes, 'B')}`].filter(Boolean).join('; '), 'quiet');
    const bound = make('ul', '', 'quiet');
    bound.append(...bindings.map(binding => make('li', binding)));
    shader.append(summary, about, bound, text);
    return shader;
  });
  const title = make('h3', line.names ? `${line.text}: ${line.names}` : line.text, line.lane);
  const shadersTitle = shaders.length ? [make('p', shaders.length === 1 ? 'It became one dispatch:' : `It became ${shaders.length} dispatches:`)] : [];
  panel.replaceChildren(title, facts, ...shadersTitle, ...shaders);
}

/** The text of a shader. Its own file, which is the last element, comes after those that it shares. */
function source(wgsl) {
  const own = wgsl.lastIndexOf('// shaders/');
  const text = make('pre');
  text.append(make('span', wgsl.slice(0, own), 'quiet'), make('span', wgsl.slice(own)));
  text.tabIndex = 0;
  return text;
}

/** Why a line became no dispatch. */
function nothing({ kind, needed }) {
  if (!needed) return 'nothing: no output and no update needs it';
  if (kind === 'operation') return 'nothing: another name for the memory that it reads';
  return { input: 'memory that is written before each run', state: 'memory that outlives the run', constant: 'memory that is filled once' }[kind];
}
