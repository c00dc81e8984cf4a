// The answer of the settings as they stand. All were worked out beforehand; nothing is computed.
const all = JSON.parse(this.dataset.answers), boxes = [...this.querySelectorAll('input, select')];
let at = 0;
for (const box of boxes) {
  const texts = JSON.parse(box.dataset.texts);
  at = at * texts.length + Number(box.value);
  if (box.type === 'range') {
    box.setAttribute('aria-valuetext', texts[box.value]);
    box.nextElementSibling.textContent = texts[box.value];
  }
}
const [said, truth, rows] = all[at], svg = this.querySelector('svg');
this.querySelector('.said').textContent = said;
const dashed = svg.querySelector('.truth');
dashed.setAttribute('x1', truth);
dashed.setAttribute('x2', truth);
let told = 'Hazard ratios.';
svg.querySelectorAll('g').forEach((group, k) => {
  const [text, middle, low, high] = rows[k], [name, value] = group.querySelectorAll('text');
  const line = group.querySelector('line'), dot = group.querySelector('circle');
  value.textContent = text;
  told += ' ' + name.textContent + ': ' + text + '.';
  for (const node of [line, dot]) node.style.display = middle === null ? 'none' : '';
  if (middle !== null) {
    dot.setAttribute('cx', middle);
    line.setAttribute('x1', low);
    line.setAttribute('x2', high);
  }
});
svg.setAttribute('aria-label', told);
