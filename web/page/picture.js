// Images of the network on canvases.

/** Puts an image with values in [-1, 1] at (x, y). */
export function put(context, image, width, x = 0, y = 0) {
  const data = context.createImageData(width, image.length / width);
  image.forEach((value, i) => data.data.set([...Array(3).fill(127.5 * (value + 1)), 255], 4 * i));
  context.putImageData(data, x, y);
}

/** Draws rows of images, each row one after the other in an array. */
export function grid(canvas, rows, width) {
  const size = width * width, count = rows[0].length / size, step = width + 2;
  canvas.width = count * step - 2;
  canvas.height = rows.length * step - 2;
  const context = canvas.getContext('2d');
  rows.forEach((row, y) => {
    for (let x = 0; x < count; x++) put(context, row.subarray(x * size, (x + 1) * size), width, x * step, y * step);
  });
}

/** Frames an image of a grid that was drawn. */
export function frame(canvas, width, x, y) {
  const context = canvas.getContext('2d'), step = width + 2;
  context.strokeStyle = '#f0925a';
  context.lineWidth = 2;
  context.strokeRect(x * step + 1, y * step + 1, width - 2, width - 2);
}

/** The place of a pointer on a canvas, as shares of its width and height. */
export function place(event, canvas) {
  const box = canvas.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

/** Calls `move(x, y)` while the primary pointer is down on a canvas; `begin` and `end` before and after. */
export function drag(canvas, { begin = () => {}, move, end = () => {} }) {
  let down = false;
  canvas.addEventListener('pointerdown', event => {
    if (!event.isPrimary || event.button) return;
    down = true;
    canvas.setPointerCapture(event.pointerId);
    begin(...place(event, canvas));
  });
  canvas.addEventListener('pointermove', event => down && event.isPrimary && move(...place(event, canvas)));
  for (const name of ['pointerup', 'pointercancel']) {
    canvas.addEventListener(name, ({ isPrimary }) => { if (down && isPrimary) { down = false; end(); } });
  }
}
