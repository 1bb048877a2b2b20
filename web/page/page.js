import { onChoice, onFiles, openCamera, sorted } from './bring.js';
import {
  announce, at, complain, download, examples, markExample, showChoices, showControls, showExplanation, showHelp, showModel,
  showPhoto, showProgress,
} from './view.js';

/** What the visitor wants to see. `update` turns the page into it. */
const wish = {
  model: null, picture: null, class: null, layer: null, method: 'gradcam', signed: false, alpha: 0.5, colormap: 'jet', numbers: 0,
};
/** The wish that the page shows. */
let shown = { ...wish };
let Gradcam;
let cam = null;
let down = false;
let classes = new Map();
let explanation = null;
let endCamera = null;
let pace = {};
let spoken = { at: 0, class: null };
/** The example that is being fetched. */
let expected = null;

function want(changes) {
  Object.assign(wish, changes);
  // The first photo is seen before it is explained.
  if (!explanation && changes.picture?.type.startsWith('image/')) showPhoto(changes.picture);
  return update();
}

let running = false;
let again = false;

/** Whatever is wanted meanwhile is one more round: the newest wish wins. */
async function update() {
  again = true;
  if (running) return;
  running = true;
  while (again) {
    again = false;
    await round({ ...wish });
  }
  running = false;
}

async function round(now) {
  if (down || endCamera) return;
  try {
    await follow(now);
    complain();
  } catch (error) {
    fail(error, now);
  }
  showProgress({ stage: 'idle' });
}

/** Does the least that turns what is shown into `now`. */
async function follow(now) {
  const changed = (...keys) => keys.some(key => now[key] !== shown[key]);
  if (!cam) await open(now.model);
  else if (changed('model')) classes = showModel(await cam.load(now.model));
  const fresh = changed('model', 'picture', 'class', 'layer', 'method', 'signed', 'numbers');
  shown.model = now.model;
  if (!now.picture) return;
  if (fresh) {
    const numbers = changed('numbers');
    show(await cam.explain(now.picture, { ...request(now), tensors: numbers }), now);
    announce(explanation.maps[0]);
    if (numbers) download(explanation.file(), `${stem()}.gradcam.safetensors`);
  } else if (changed('alpha', 'colormap')) {
    await explanation.redraw(style(now));
    explanation.maps[0].draw(at.overlay);
    shown = now;
  }
  showControls(wish);
}

const style = ({ alpha, colormap }) => ({ alpha, colormap });
const request = now => ({
  classes: now.class === null ? undefined : [now.class],
  layers: now.layer === null ? undefined : [now.layer],
  methods: [now.method],
  signed: now.signed,
  style: style(now),
});
const stem = () => wish.picture.name.replace(/\.[^.]*$/, '');

function show(next, now) {
  explanation?.maps.forEach(map => map.overlay.close());
  explanation = next;
  showExplanation(next, cam.device, now.signed);
  if (now.picture !== shown.picture && now.picture instanceof Blob) showPhoto(now.picture);
  shown = now;
  at.savePicture.disabled = at.saveNumbers.disabled = false;
}

const enable = is => {
  for (const control of [at.controls, at.any, at.camera]) control.disabled = !is;
};

async function open(model) {
  const opened = await Gradcam.open({ ...model, onprogress: progress => endCamera || showProgress(progress) });
  cam = opened;
  showChoices(Gradcam);
  classes = showModel(cam.model);
  enable(true);
  cam.lost.then(reason => {
    opened.close();
    lose(`The engine stopped: ${reason}`);
  });
}

function lose(reason) {
  down = true;
  cam = null;
  stopCamera();
  enable(false);
  at.saveNumbers.disabled = true;
  complain(reason, true);
}

/** Says what went wrong, and goes back to what is shown unless something newer is wanted. */
function fail(error, now) {
  if (down) return;
  if (!cam) {
    lose(error.message);
    if (!Gradcam.supported || /webgpu|adapter/i.test(error.message)) showHelp(error.message);
    return;
  }
  complain(error.message);
  if (!explanation || Object.keys(wish).some(key => wish[key] !== now[key])) return;
  Object.assign(wish, shown);
  showControls(wish);
}

function take(files) {
  if (!files.length) return complain('That was no file.');
  const { picture, model } = sorted(files);
  if (picture) expected = null;
  stopCamera(false);
  want({ class: null, ...(picture && { picture }), ...(model && { model, layer: null }) });
}

async function takeExample(name) {
  stopCamera(false);
  expected = name;
  try {
    const blob = await (await fetch(name)).blob();
    if (expected !== name) return;
    want({ picture: new File([blob], name, { type: blob.type }), class: null });
  } catch (error) {
    complain(`${name}: ${error.message}`);
  }
}

async function startCamera() {
  at.camera.disabled = true;
  try {
    endCamera = await openCamera(at.video, takeFrame, () => stopCamera());
    wish.class = null;
    live(true);
  } catch (error) {
    complain(`The camera did not open: ${error.message}`);
  }
  at.camera.disabled = false;
}

function live(is) {
  at.stage.classList.toggle('live', is);
  at.camera.ariaPressed = String(is);
  at.camera.textContent = is ? 'Stop camera' : 'Camera';
  at.fps.hidden = !is;
  at.fps.textContent = '';
  pace = {};
  if (is) markExample(null);
}

async function takeFrame(canvas) {
  const now = { ...wish, picture: canvas };
  const running = endCamera;
  try {
    const next = await cam.explain(canvas, request(now));
    if (endCamera !== running) return;
    show(next, now);
    complain();
    tick(next.maps[0]);
  } catch (error) {
    if (endCamera !== running) return;
    Object.assign(wish, { ...shown, picture: wish.picture });
    await stopCamera();
    complain(error.message);
  }
}

function tick(map) {
  const time = performance.now();
  const gap = time - pace.last;
  pace = { last: time, gap: pace.gap ? 0.9 * pace.gap + 0.1 * gap : gap };
  if (pace.gap) at.fps.textContent = `${(1000 / pace.gap).toFixed(0)} fps`;
  if (time - spoken.at < 3000 || map.prediction.class === spoken.class) return;
  spoken = { at: time, class: map.prediction.class };
  announce(map);
}

/** The last frame becomes the photo, unless another one comes. */
async function stopCamera(keep = true) {
  if (!endCamera) return;
  const [frame, wished] = [shown.picture, wish.picture];
  endCamera();
  endCamera = null;
  live(false);
  if (!keep || !(frame instanceof OffscreenCanvas)) return;
  const picture = new File([await frame.convertToBlob()], 'camera.png');
  if (wish.picture === wished) await want({ picture });
}

function chooseClass() {
  const text = at.any.value.trim();
  at.any.value = '';
  if (text) want({ class: classes.get(text.toLowerCase()) ?? (/^\d+$/.test(text) ? Number(text) : text) });
}

function peek(is) {
  at.picture.classList.toggle('peek', is);
  at.peek.ariaPressed = String(is);
}

const on = (target, type, listener) => target.addEventListener(type, listener);

/** A short press of the button lasts until the next one; a long one ends when it does. */
function listenToPeek() {
  const toggle = () => peek(at.peek.ariaPressed !== 'true');
  let since;
  on(at.peek, 'pointerdown', event => {
    since = event.timeStamp;
    toggle();
  });
  on(at.peek, 'pointerup', event => event.timeStamp - since > 300 && toggle());
  on(at.peek, 'click', event => {
    const byKey = event.detail === 0;
    if (byKey) toggle();
  });
  const idle = () => !document.activeElement?.matches('input, select, button');
  const onSpace = event => {
    if (event.key !== ' ' || !explanation || !idle()) return;
    event.preventDefault();
    peek(event.type === 'keydown');
  };
  on(window, 'keydown', onSpace);
  on(window, 'keyup', onSpace);
  // After a click the space bar is not the button's.
  on(window, 'click', event => event.detail && document.activeElement?.matches('button') && document.activeElement.blur());
}

function listen() {
  onFiles(at.stage, take);
  onChoice(at.choose, at.photoFile, take);
  onChoice(at.chooseModel, at.modelFile, take);
  on(at.stage, 'click', event => event.target === at.peek || at.photoFile.click());
  for (const example of examples) on(example, 'click', () => takeExample(example.dataset.example));
  on(at.camera, 'click', () => (endCamera ? stopCamera() : startCamera()));
  on(window, 'keydown', event => event.key === 'Escape' && stopCamera());
  on(at.list, 'click', event => {
    const number = event.target.closest('button')?.value;
    if (number) want({ class: Number(number) === wish.class ? null : Number(number) });
  });
  on(at.anyForm, 'submit', event => event.preventDefault());
  on(at.any, 'change', chooseClass);
  // A choice from the list: Firefox tells of no change before the focus leaves.
  on(at.any, 'input', event => /^(insertReplacementText|undefined)$/.test(event.inputType) && chooseClass());
  on(at.layer, 'change', () => want({ layer: at.layer.value || null }));
  for (const key of ['method', 'colormap']) on(at[key], 'change', () => want({ [key]: at[key].value }));
  on(at.alpha, 'input', () => want({ alpha: at.alpha.valueAsNumber }));
  on(at.signed, 'change', () => {
    const signed = at.signed.checked;
    const usual = wish.colormap === 'bwr' ? 'jet' : wish.colormap;
    at.colormap.value = signed ? 'bwr' : usual;
    want({ signed, colormap: at.colormap.value });
  });
  on(at.overlay, 'contextrestored', () => explanation.maps[0].draw(at.overlay));
  on(at.savePicture, 'click', () => at.overlay.toBlob(blob => download(blob, `${stem()}.gradcam.png`)));
  on(at.saveNumbers, 'click', async () => {
    await stopCamera();
    want({ numbers: wish.numbers + 1 });
  });
  on(at.again, 'click', () => {
    if (!Gradcam) return location.reload();
    down = false;
    complain();
    shown.picture = null;
    update();
  });
  listenToPeek();
}

async function start() {
  listen();
  try {
    ({ Gradcam } = await import('./gradcam.js'));
  } catch (error) {
    return lose(error.message);
  }
  showProgress({ stage: 'engine' });
  takeExample('chelsea.png');
}

start();
