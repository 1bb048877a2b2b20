// A stranger's way through the page, and what strangers do wrong.
import { check, log, lose, run, shoot, wait } from './test.js';

const frame = document.querySelector('iframe');
const at = new Proxy({}, { get: (_, id) => frame.contentDocument.getElementById(id) });
const saved = [];
let longest = 0;

/** Waits until something holds. */
async function until(holds, what, seconds = 100) {
  for (const end = performance.now() + 1000 * seconds; performance.now() < end; await wait(20)) {
    if (holds()) return;
  }
  throw new Error(`not within ${seconds} s: ${what}; the page says: ${at.alert.textContent}`);
}

/** Waits until the page has begun what it was asked for, and has done it. */
const idle = () => wait(100).then(() => until(() => at.progress.hidden, 'the page rests'));
const says = (label) => until(() => at.label.textContent === label && at.progress.hidden, `the page says ${label}`);
const complains = (about) => until(() => about.test(at.alert.textContent), `a complaint ${about}`);
/** A file as the page's own window makes them. */
const file = (parts, name, type = '') => new frame.contentWindow.File(parts, name, { type });
const fetched = async (name) => {
  const blob = await (await fetch(name)).blob();
  return file([blob], name, blob.type);
};

function drop(...files) {
  const dataTransfer = new frame.contentWindow.DataTransfer();
  files.forEach((file) => dataTransfer.items.add(file));
  at.stage.dispatchEvent(new frame.contentWindow.DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
}

function set(control, value) {
  if (control.type === 'checkbox') control.click();
  else control.value = value;
  for (const kind of ['input', 'change']) control.dispatchEvent(new frame.contentWindow.Event(kind, { bubbles: true }));
}

const pixels = () => at.overlay.getContext('2d').getImageData(0, 0, at.overlay.width, at.overlay.height).data;
const differ = (a, b) => a.length !== b.length || a.some((v, i) => v !== b[i]);

/** Notes what is saved, what the page complains of in secret, and how long it was blocked. */
function watch() {
  frame.contentWindow.console.error = (...words) => check(false, `console: ${words.join(' ')}`);
  const { HTMLAnchorElement, PerformanceObserver } = frame.contentWindow;
  const { click } = HTMLAnchorElement.prototype;
  HTMLAnchorElement.prototype.click = function () {
    if (this.download) saved.push(fetch(this.href).then(async (file) => [this.download, new Uint8Array(await file.arrayBuffer())]));
    else click.call(this);
  };
  if (PerformanceObserver.supportedEntryTypes.includes('longtask')) {
    // Tasks of this test, in the same thread, are those of an ancestor.
    const own = (list) => list.getEntries().filter((task) => task.name === 'self');
    const note = (list) => own(list).forEach((task) => (longest = Math.max(longest, task.duration)));
    new PerformanceObserver(note).observe({ type: 'longtask' });
  }
}

async function theWay() {
  await until(() => at.label?.textContent === 'tiger cat' && at.progress.hidden, 'the example is explained');
  await log(`first map ${Math.round(performance.now())} ms after navigation`);
  for (const width of [360, 768, 1280]) await shoot(`first-${width}.png`).then(() => shoot(`first-${width}-dark.png`));
  drop(await fetched('coffee.png'));
  await says('espresso');
  const second = at.list.children[1].firstChild;
  const label = second.firstChild.textContent;
  second.click();
  await says(label);
  const before = pixels();
  for (let i = 0; i <= 40; i++) {
    set(at.alpha, 0.5 + i / 100);
    await wait(5);
  }
  await idle();
  check(differ(before, pixels()), 'the slider changes the picture');
  await shoot('second-class-1280.png');
  at.savePicture.click();
  await until(() => saved.length === 1, 'the picture is saved');
  at.saveNumbers.click();
  await until(() => saved.length === 2, 'the numbers are saved');
  const [[picture, png], [numbers, tensors]] = await Promise.all(saved);
  check(picture.startsWith('coffee') && picture.endsWith('.png') && png[1] === 0x50, `${picture} is a PNG`);
  const length = Number(new BigUint64Array(tensors.slice(0, 8).buffer)[0]);
  const header = JSON.parse(new TextDecoder().decode(tensors.slice(8, 8 + length)));
  check(numbers.endsWith('.safetensors') && header.heatmap.shape.join() === '1,1,224,224', `${numbers} holds the map`);
  set(at.any, 'bagel');
  at.anyForm.requestSubmit();
  await says('bagel');
  set(at.layer, 'blocks.4');
  await idle();
  set(at.method, 'hirescam');
  await idle();
  set(at.signed, true);
  await idle();
  check(at.alert.textContent === '', `no complaint: ${at.alert.textContent}`);
  await shoot('against-1280.png');
  set(at.signed, false);
  set(at.method, 'gradcam');
  set(at.layer, '');
  await idle();
}

async function theCamera() {
  at.camera.click();
  await until(() => /fps/.test(at.fps.textContent), 'the camera runs');
  await wait(4000);
  await log(`camera: ${at.fps.textContent}`);
  await shoot('camera-1280.png');
  frame.contentDocument.dispatchEvent(new frame.contentWindow.KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
  await until(() => at.fps.hidden, 'Escape stops the camera');
  await idle();
}

/** Black, `width` × `height`. */
async function black(width, height) {
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d').fillRect(0, 0, width, height);
  return file([await canvas.convertToBlob()], `${width}x${height}.png`, 'image/png');
}

async function theWrongs() {
  drop(file(['this is no picture'], 'notes.jpg', 'image/jpeg'));
  await complains(/notes\.jpg/);
  await log(at.alert.textContent);
  await shoot('no-picture-1280.png');
  const weights = await fetched('efficientnet_lite0.safetensors');
  drop(file([weights.slice(0, 5_000_000)], 'half.safetensors'));
  await complains(/half\.safetensors/);
  await log(at.alert.textContent);
  drop(await black(12_000, 12_000));
  await complains(/12000x12000/);
  await log(at.alert.textContent);
  // The page goes on.
  drop(await fetched('chelsea.png'));
  await says('tiger cat');
  check(at.alert.textContent === '', 'a good photo ends the complaint');
  // Clicks during an explanation: the last one counts.
  at.list.children[1].firstChild.click();
  at.list.children[2].firstChild.click();
  await says('tabby');
  drop(weights);
  await idle();
  await until(() => at.modelName.textContent.startsWith('efficientnet_lite0'), 'the dropped network is explained');
  check(at.alert.textContent === '', `no complaint: ${at.alert.textContent}`);
}

async function theLoss() {
  if (!(await lose())) return;
  await complains(/lost/);
  await log(at.alert.textContent);
  await shoot('lost-1280.png');
  at.again.click();
  await says('tiger cat');
  check(at.alert.textContent === '', `no complaint: ${at.alert.textContent}`);
}

run(async (asked) => {
  await new Promise((resolve) => (frame.contentDocument.readyState === 'complete' ? resolve() : (frame.onload = resolve)));
  watch();
  await theWay();
  if (!asked.has('short')) await theCamera();
  await theWrongs();
  await theLoss();
  await log(`longest task of the page: ${Math.round(longest)} ms`);
  if (!asked.has('short')) check(longest <= 50, `the page was blocked for ${longest} ms`);
});
