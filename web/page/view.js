// What a visitor sees and hears.

/** The elements of the page, by their ids. */
export const at = new Proxy({}, { get: (_, id) => document.getElementById(id) });

const megabytes = bytes => (bytes / 1e6).toFixed(1);
const STAGES = {
  engine: 'Fetching the engine',
  weights: 'Fetching the network',
  model: 'Reading the network',
  device: 'Opening the graphics device',
  shaders: 'Preparing shaders',
  computing: 'Computing',
};

export function showProgress({ stage, done, total }) {
  const idle = stage === 'idle';
  at.progress.hidden = idle;
  at.stage.ariaBusy = String(!idle);
  if (idle) return;
  const [measure, unit] = stage === 'weights' ? [megabytes, ' MB'] : [String, ''];
  at.stageWords.textContent = STAGES[stage] + (total ? `: ${measure(done)} of ${measure(total)}${unit}` : '');
  if (total) at.bar.value = done / total;
  else at.bar.removeAttribute('value');
}

/** Shows one line of an error, or none. */
export function complain(line = '', again = false) {
  at.alert.textContent = line;
  at.again.hidden = !again;
  if (again && !at.list.children.length) at.asked.textContent = 'The network gave no answer';
}

export function showHelp(reason) {
  at.helpReason.textContent = reason;
  at.help.hidden = false;
  document.body.classList.add('helpless');
}

const paragraphs = lines => lines.map(line => Object.assign(document.createElement('p'), { textContent: line }));
const options = rows => rows.map(([value, text = value]) => new Option(text, value));

export function showChoices({ methods, colormaps }) {
  at.method.replaceChildren(...options(methods.map(name => [name])));
  at.colormap.replaceChildren(...options(colormaps.map(name => [name])));
}

/** Returns the classes by what can be typed. */
export function showModel(model) {
  at.modelName.textContent = model.name;
  at.modelWords.textContent = model.description;
  at.modelRemarks.replaceChildren(...paragraphs(model.remarks));
  const layers = model.layers.toReversed().map(({ path, channels, height, width }) =>
    [path === model.layer ? '' : path, `${path} · ${channels} × ${height} × ${width}`]);
  at.layer.replaceChildren(...options(layers));
  const classes = new Map();
  model.labels.forEach((label, number) => classes.set(classes.has(label) ? `${label} (${number})` : label, number));
  suggest([...classes.keys()]);
  return new Map([...classes].map(([label, number]) => [label.toLowerCase(), number]));
}

let suggested;

/** In parts, because there may be tens of thousands. */
async function suggest(labels) {
  suggested = labels;
  at.labels.replaceChildren();
  for (let n = 0; n < labels.length && suggested === labels; n += 250) {
    at.labels.append(...options(labels.slice(n, n + 250).map(label => [label])));
    await new Promise(resolve => setTimeout(resolve));
  }
}

/** Keeps the controls in step with what is shown. */
export function showControls({ method, layer, colormap, alpha, signed }) {
  at.method.value = method;
  at.layer.value = layer ?? '';
  at.colormap.value = colormap;
  at.alpha.value = alpha;
  at.signed.checked = signed;
}

const percent = part => `${part < 0.0005 ? '< 0.1' : (100 * part).toFixed(1)} %`;
const score = ({ probability, logit }) => (probability === null ? logit.toFixed(2) : percent(probability));

/** Updates rows in place, so that the focus stays. */
function showList(predictions, explained) {
  const has = predictions.some(prediction => prediction.class === explained.class);
  const rows = has ? predictions : [...predictions, explained];
  while (at.list.children.length < rows.length) at.list.append(at.row.content.cloneNode(true));
  while (at.list.children.length > rows.length) at.list.lastChild.remove();
  const most = Math.max(...rows.map(row => row.logit));
  rows.forEach((row, n) => {
    const button = at.list.children[n].firstChild;
    const [label, number, bar] = button.children;
    button.value = row.class;
    button.ariaPressed = String(row.class === explained.class);
    label.textContent = row.label;
    number.textContent = score(row);
    bar.style.setProperty('--part', row.probability ?? Math.max(0, row.logit / most));
  });
}

function showCrop([left, top, width, height], whole) {
  const all = width > whole.width - 1 && height > whole.height - 1;
  at.crop.hidden = at.seen.hidden = all;
  const shape = Math.abs(width - height) < 2 ? 'square' : 'part';
  at.seen.textContent = `The network saw only this ${shape}.`;
  const part = (length, of) => `${(100 * length) / of}%`;
  Object.assign(at.crop.style, {
    left: part(left, whole.width),
    top: part(top, whole.height),
    width: part(width, whole.width),
    height: part(height, whole.height),
  });
}

let photoUrl;
const setRatio = (width, height) => at.picture.style.setProperty('--ratio', width / height);
at.photo.addEventListener('load', () => setRatio(at.photo.naturalWidth, at.photo.naturalHeight));

/** The photo alone, which lies under the overlay. */
export function showPhoto(picture) {
  URL.revokeObjectURL(photoUrl);
  photoUrl = URL.createObjectURL(picture);
  at.photo.src = photoUrl;
  at.photo.alt = `The photo ${picture.name}`;
  markExample(picture.name);
}

export const examples = document.querySelectorAll('[data-example]');

export function markExample(name) {
  for (const example of examples) example.ariaPressed = String(example.dataset.example === name);
}

export function showExplanation(explanation, device, signed) {
  const map = explanation.maps[0];
  const said = map.prediction;
  map.draw(at.overlay);
  setRatio(explanation.width, explanation.height);
  at.picture.classList.add('explained');
  at.peek.hidden = false;
  showCrop(explanation.crop, explanation);
  const against = signed ? ' and against' : '';
  const first = said.class === explanation.predictions[0].class;
  at.asked.textContent = first && !signed ? 'The network says' : `What speaks for${against}`;
  at.label.textContent = said.label;
  at.overlay.ariaLabel = `Heat map: what speaks for${against} ${said.label}`;
  showList(explanation.predictions, said);
  at.remarks.replaceChildren(...paragraphs([map.remark, ...explanation.remarks].filter(Boolean)));
  showFacts(explanation, device);
}

/** Says the result to those who do not see it. */
export function announce({ prediction, remark }) {
  const certainty = score(prediction).replace('<', 'under').replace('%', 'percent');
  at.result.textContent = `${prediction.label}, ${certainty}${remark ? `. ${remark}` : ''}`;
}

function showFacts({ milliseconds, stats }, { name, software, variant }) {
  const facts = [
    `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`,
    `${stats.dispatches} dispatches, variant ${variant}`,
    `${megabytes(stats.gpu_bytes)} MB`,
    name + (software ? ' (software)' : ''),
  ];
  at.facts.querySelectorAll('dd').forEach((fact, n) => { fact.textContent = facts[n]; });
}

export function download(blob, name) {
  const url = URL.createObjectURL(blob);
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
