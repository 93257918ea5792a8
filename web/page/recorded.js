// Recorded pictures in place of the views, for a browser that cannot compute.

const SOURCE = 'recorded/';

/** Shows what each of the views looked like on the adapter on which it was recorded. */
export async function recorded(views) {
  const answer = await fetch(`${SOURCE}about.json`);
  if (!answer.ok) return;
  const { adapter } = await answer.json();
  for (const view of views) {
    const section = document.getElementById(view);
    const name = document.querySelector(`nav a[href="#${view}"]`).textContent;
    const figure = document.createElement('figure');
    const image = Object.assign(new Image(), { className: 'recorded', src: `${SOURCE}${view}.webp`, alt: `“${name}”, as it was recorded` });
    const caption = document.createElement('figcaption');
    caption.textContent = `A recording, on ${adapter}. Nothing is computed here.`;
    figure.append(image, caption);
    section.replaceChildren(...[section.querySelector('p')].filter(Boolean), figure);
  }
}
