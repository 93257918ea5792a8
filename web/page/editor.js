// A text area with numbered lines, which may be the end of a longer text. Tab indents, Shift+Tab takes that back; after Escape, Tab leaves.

const INDENT = '  ';

/** `changed` is called with the text after each change by the user. */
export function editor(area, gutter, changed) {
  let before = 0, marked = 0, leaving = false;

  /** As many numbers as lines, all of which are shown: only the page scrolls. */
  function number() {
    const lines = area.value.split('\n').length;
    area.rows = lines;
    gutter.replaceChildren(...Array.from({ length: lines }, (_, i) => {
      const line = document.createElement('span');
      line.textContent = before + i + 1;
      line.classList.toggle('marked', before + i + 1 === marked);
      return line;
    }));
  }
  function mark(line) {
    marked = line;
    number();
  }

  /** Replaces a part of the text, so that the browser can undo it. */
  function put(from, to, text) {
    area.focus({ preventScroll: true });
    area.setSelectionRange(from, to);
    const done = document.execCommand(text ? 'insertText' : 'delete', false, text);
    if (done) return;
    area.setRangeText(text, from, to, 'end');
    area.dispatchEvent(new Event('input'));
  }

  /** Moves the selected lines to the right or to the left. */
  function shift(left) {
    const { selectionStart: start, selectionEnd: end, value } = area;
    const from = value.lastIndexOf('\n', start - 1) + 1;
    const lines = value.slice(from, end).split('\n').map(line => (left ? line.replace(/^ {1,2}/, '') : INDENT + line));
    put(from, end, lines.join('\n'));
    if (value.slice(start, end).includes('\n')) area.setSelectionRange(from, from + lines.join('\n').length);
  }

  area.addEventListener('input', () => { mark(0); changed(area.value); });
  area.addEventListener('keydown', event => {
    if (event.key === 'Tab' && !leaving && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      const { selectionStart: start, selectionEnd: end } = area;
      if (event.shiftKey || area.value.slice(start, end).includes('\n')) shift(event.shiftKey);
      else put(start, end, INDENT);
    }
    leaving = event.key === 'Escape' || (leaving && event.key === 'Shift');
  });

  return {
    value: () => area.value,
    /** Shows another text, before which there are so many lines that are not shown. */
    show(text, hidden) {
      area.value = text;
      before = hidden;
      mark(0);
    },
    /** Replaces the text, as an edit of the user. */
    replace: text => put(0, area.value.length, text),
    /** Marks the number of a line; of none with 0. */
    mark,
    /** Selects a line from a column, which counts bytes, to its end. */
    go(line, column) {
      const lines = area.value.split('\n'), at = line - before - 1, text = lines[at] ?? '';
      const begin = lines.slice(0, at).reduce((sum, { length }) => sum + length + 1, 0);
      const bytes = new TextEncoder().encode(text).slice(0, Math.max(column - 1, 0));
      area.focus({ preventScroll: true });
      area.setSelectionRange(begin + new TextDecoder().decode(bytes).length, begin + text.length);
      gutter.children[at]?.scrollIntoView({ block: 'center' });
    },
  };
}
