// The drawing of a tape: a lane each for forward lines, backward lines and updates of state, with arcs to the lines that a
// line reads.

import { time } from './line.js';

const TITLES = { forward: 'Forward', backward: 'Backward', update: 'Updates of state' };
/** Width of the arcs in a lane, and height of a row, in pixels; fingers need more. */
const GUTTER = 34, ROW = matchMedia('(pointer: coarse)').matches ? 34 : 24;
const SVG = 'http://www.w3.org/2000/svg';

function path(data, kind) {
  const element = document.createElementNS(SVG, 'path');
  element.setAttribute('d', data);
  element.setAttribute('class', kind);
  return element;
}

function svg(kind) {
  const element = document.createElementNS(SVG, 'svg');
  element.setAttribute('class', kind);
  element.setAttribute('aria-hidden', 'true');
  return element;
}

/** An arc in the gutter between two rows of a lane. */
function arc(a, b, kind) {
  const [from, to] = [a, b].map(row => (row + 0.5) * ROW);
  const wide = Math.min(GUTTER - 4, 4 + 6 * Math.log2(1 + Math.abs(a - b)));
  return path(`M${GUTTER},${from} C${GUTTER - 1.33 * wide},${from} ${GUTTER - 1.33 * wide},${to} ${GUTTER},${to}`, kind);
}

/** A shape without spaces; nothing for a line without a value. */
const short = shape => (shape === '[0]' ? '' : shape.replaceAll(' ', ''));

/** Draws tapes in `root`. Calls `choose` with a chosen line, and `hover` with a line under the mouse, or null. */
export function lanes(root, { choose, hover }) {
  let lines = [], rows = [], chosen = null, waiting = 0;
  const edges = svg('edges');
  root.style.setProperty('--row', `${ROW}px`);
  root.style.setProperty('--gutter', `${GUTTER}px`);

  function show(all) {
    lines = all;
    rows = Array(all.length);
    chosen = null;
    root.classList.remove('timed');
    const made = Object.keys(TITLES).map(lane).filter(Boolean);
    root.replaceChildren(...made, edges);
    edges.replaceChildren();
  }

  function lane(name) {
    const members = lines.map((_, id) => id).filter(id => lines[id].lane === name);
    if (!members.length) return null;
    const box = document.createElement('div');
    box.className = `lane ${name}`;
    box.innerHTML = `<h3>${TITLES[name]} <span class="quiet">${members.length} lines</span></h3>
      <div class="lines" role="listbox" tabindex="0" aria-label="${TITLES[name]}"><div></div></div>`;
    const list = box.querySelector('.lines'), inner = list.firstElementChild;
    const place = new Map(members.map((id, i) => [id, i]));
    const arcs = svg('arcs');
    arcs.setAttribute('width', GUTTER);
    arcs.setAttribute('height', members.length * ROW);
    for (const id of members) {
      for (const read of lines[id].reads) if (place.has(read)) arcs.append(arc(place.get(id), place.get(read), 'arc'));
      inner.append(entry(id, place.get(id)));
    }
    inner.append(arcs);
    list.onscroll = () => connect(chosen);
    list.onkeydown = event => key(event, members);
    list.onmouseleave = () => point(null);
    return box;
  }

  function entry(id, place) {
    const line = lines[id], row = document.createElement('div');
    row.className = `entry ${line.kind}${line.needed ? '' : ' unneeded'}`;
    row.id = `tape-line-${id}`;
    row.setAttribute('role', 'option');
    row.dataset.place = place;
    for (const [kind, text] of [['id', `%${id}`], ['name', [line.names, line.name].filter(Boolean).join(' = ')], ['shape', short(line.shape)], ['time', '']]) {
      const cell = document.createElement('span');
      cell.className = kind;
      cell.textContent = text;
      row.append(cell);
    }
    row.title = line.text;
    row.onclick = () => pick(id);
    row.onmouseenter = () => point(id);
    rows[id] = row;
    return row;
  }

  /** Marks what a line reads and what reads it. */
  function connect(id) {
    root.querySelectorAll('.reads, .reader').forEach(row => row.classList.remove('reads', 'reader'));
    root.querySelectorAll('.live').forEach(line => line.remove());
    edges.replaceChildren();
    if (id === null) return;
    const related = [...Array.from(lines[id].reads, other => [other, 'reads']), ...Array.from(lines[id].readers, other => [other, 'reader'])];
    for (const [other, kind] of related) {
      rows[other].classList.add(kind);
      if (lines[other].lane === lines[id].lane) {
        rows[id].parentElement.querySelector('.arcs').append(arc(Number(rows[id].dataset.place), Number(rows[other].dataset.place), `live ${kind}`));
      } else {
        across(rows[id], rows[other], kind);
      }
    }
  }

  /** A curve between rows of lanes that stand side by side. Ends out of sight lie on the edge of their lane. */
  function across(a, b, kind) {
    const frame = root.getBoundingClientRect();
    const [from, to] = [a, b].map(row => {
      const { top, height } = row.getBoundingClientRect(), list = row.closest('.lines').getBoundingClientRect();
      const y = Math.min(list.bottom, Math.max(list.top, top + height / 2)) - frame.top;
      return { left: list.left - frame.left, right: list.right - frame.left, y };
    });
    if (from.left === to.left) return;
    const [x1, x2] = from.left < to.left ? [from.right, to.left] : [from.left, to.right];
    const middle = (x1 + x2) / 2;
    edges.append(path(`M${x1},${from.y} C${middle},${from.y} ${middle},${to.y} ${x2},${to.y}`, kind));
  }

  /** Shows a line under the mouse; with null, the chosen one again. */
  function point(id) {
    clearTimeout(waiting);
    waiting = setTimeout(() => { connect(id ?? chosen); hover(id); }, id === null ? 150 : 60);
  }

  /** Brings a row into sight in its lane, without moving the page. */
  function reveal(row) {
    const lists = [row.closest('.lines'), root].filter(list => list.scrollHeight > list.clientHeight + 1 && getComputedStyle(list).overflowY === 'auto');
    if (!lists.length) return;
    const list = lists[0], { top, bottom } = row.getBoundingClientRect(), frame = list.getBoundingClientRect();
    if (top < frame.top + ROW || bottom > frame.bottom) list.scrollTop += top - frame.top - list.clientHeight / 2;
  }

  /** Chooses a line, and brings it and a line of each other lane that it is connected to into sight. */
  function pick(id) {
    clearTimeout(waiting);
    if (chosen !== null) rows[chosen].setAttribute('aria-selected', 'false');
    chosen = id;
    rows[id].setAttribute('aria-selected', 'true');
    rows[id].closest('.lines').setAttribute('aria-activedescendant', rows[id].id);
    const others = [...lines[id].reads, ...lines[id].readers];
    for (const name of Object.keys(TITLES)) {
      const first = others.find(other => lines[other].lane === name);
      if (first !== undefined && name !== lines[id].lane && getComputedStyle(root).overflowY !== 'auto') reveal(rows[first]);
    }
    reveal(rows[id]);
    connect(id);
    choose(id);
  }

  function key(event, members) {
    const at = members.indexOf(chosen), line = lines[chosen];
    const next = {
      ArrowDown: () => members[at + 1],
      ArrowUp: () => members[at < 0 ? 0 : at - 1],
      ArrowLeft: () => line?.reads[0],
      ArrowRight: () => line?.readers[0],
      Home: () => members[0],
      End: () => members.at(-1),
    }[event.key];
    if (!next) return;
    event.preventDefault();
    const id = next();
    if (id === undefined) return;
    pick(id);
    rows[id].closest('.lines').focus({ preventScroll: true });
  }

  /** Shows the time of every line, in seconds. Returns the total of each lane. */
  function times(seconds) {
    root.classList.add('timed');
    const longest = Math.max(...seconds), totals = {};
    seconds.forEach((value, id) => {
      const { lane, dispatches } = lines[id];
      totals[lane] = (totals[lane] ?? 0) + value;
      rows[id].querySelector('.time').textContent = dispatches.length ? time(value) : '';
      rows[id].style.setProperty('--share', `${100 * value / longest}%`);
    });
    return totals;
  }

  addEventListener('resize', () => connect(chosen));
  return { show, choose: pick, times };
}
