// Shows only the countries whose name holds what was typed. Without this script all of them are shown.

const field = document.querySelector('[data-find]');
const input = field.querySelector('input');
const none = field.querySelector('[data-none]');
const countries = [...document.querySelectorAll('main > details')];

const plain = (text) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().trim();
const names = countries.map((country) => plain(country.firstElementChild.textContent));

function find() {
  const wanted = plain(input.value);
  let found = 0;
  countries.forEach((country, place) => {
    country.hidden = !names[place].includes(wanted);
    found += !country.hidden;
  });
  none.hidden = found > 0;
}

field.hidden = false;
input.addEventListener('input', find);
find();
