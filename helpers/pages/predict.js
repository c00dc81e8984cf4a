event.preventDefault();
const told = this.dataset, said = this.elements.said;
const guess = parseFloat(this.elements.guess.value.trim().replace(',', '.'));
if (Number.isNaN(guess)) {
  said.textContent = 'Write one number first; a rough one will do.';
} else {
  const gap = guess - Number(told.truth);
  const near = Math.abs(gap) <= Number(told.within) + 1e-9;
  const then = told.truth === '' ? '' : near ? told.near : gap < 0 ? told.low : told.high;
  const unit = told.unit === '%' || told.unit === '' ? told.unit : ' ' + told.unit;
  said.textContent = 'You said ' + guess + unit + '; ' + told.is + ' ' + then;
  this.querySelector('details').open = true;
}
