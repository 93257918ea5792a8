// Loss curves, on a logarithmic scale.

const NAMES = ['rec', 'idem', 'tight'];
/** The greatest number of points that are kept. */
const MOST = 400;

/** Curves on a canvas. The colour of each is that of the element `b.NAME` in the legend. */
export function curves(canvas, legend) {
  let points = [], every = 1, count = 0;

  function draw() {
    const context = canvas.getContext('2d'), { width, height } = canvas, margin = 44;
    context.clearRect(0, 0, width, height);
    if (points.length < 2) return;
    const values = points.flatMap(([, ...losses]) => losses.map(Math.abs)).filter(value => value > 0);
    const [low, high] = [Math.floor(Math.log10(Math.min(...values))), Math.ceil(Math.log10(Math.max(...values)))];
    const last = points.at(-1)[0];
    const x = step => margin + (width - margin - 2) * step / last;
    const y = value => height - 22 - (height - 32) * (Math.log10(Math.max(Math.abs(value), 10 ** low)) - low) / (high - low || 1);
    context.font = '20px system-ui, sans-serif';
    context.fillStyle = context.strokeStyle = getComputedStyle(canvas).color;
    context.lineWidth = 0.5;
    for (let power = low; power <= high; power++) {
      context.fillText(`10${[...String(power)].map(c => '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'['-0123456789'.indexOf(c)]).join('')}`, 0, y(10 ** power) + 6);
      context.beginPath();
      context.moveTo(margin, y(10 ** power));
      context.lineTo(width, y(10 ** power));
      context.stroke();
    }
    context.fillText(`step ${last}`, width - 110, height - 2);
    NAMES.forEach((name, i) => {
      context.strokeStyle = getComputedStyle(legend.querySelector(`b.${name}`)).color;
      context.lineWidth = 3;
      // Without a bound, tight is −idem: both remain visible.
      context.setLineDash(name === 'tight' ? [8, 8] : []);
      context.beginPath();
      points.forEach(([step, ...losses]) => context.lineTo(x(step), y(losses[i])));
      context.stroke();
    });
    context.setLineDash([]);
  }

  return {
    clear() { points = []; every = 1; count = 0; draw(); },
    /** Adds the losses of a step: rec, idem and tight. */
    add(step, losses) {
      if (count++ % every === 0) points.push([step, ...losses]);
      if (points.length > MOST) {
        points = points.filter((_, i) => i % 2 === 0);
        every *= 2;
      }
      draw();
    },
  };
}
