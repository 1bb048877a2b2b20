// The worker: runs the engine, so that it never keeps the page waiting. `gradcam.js` sends the messages.
import init, { Engine, Picture, names } from './gradcam_web.js';

let engine;
let latest; // the number of the message whose overlays can be redrawn
let sizes; // of those overlays
let turn = Promise.resolve();

const report = (stage, done, total) => postMessage({ progress: { stage, done, total } });

/** Does the work when all work before it has begun to run on the device, or failed. */
function inTurn(work) {
  const result = turn.then(work);
  turn = result.catch(() => {});
  return result;
}

/** The name and bytes of weights: of a file, or of what is at an address. */
async function bytesOf(weights) {
  if (weights instanceof Blob) return [weights.name ?? 'weights', new Uint8Array(await weights.arrayBuffer())];
  const name = decodeURIComponent(new URL(weights).pathname.split('/').pop());
  const response = await fetch(weights).catch((error) => ({ statusText: error.message }));
  if (!response.ok) throw new Error(`${name}: cannot be fetched: ${response.status ?? ''} ${response.statusText}`);
  const total = +response.headers.get('content-length') || undefined;
  const parts = [];
  let done = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { value } = await reader.read();
    if (!value) break;
    parts.push(value);
    report('weights', (done += value.length), total);
  }
  const bytes = new Uint8Array(done);
  parts.reduce((at, part) => (bytes.set(part, at), at + part.length), 0);
  return [name, bytes];
}

async function load({ weights, beside, ...options }) {
  report('weights');
  const [name, bytes] = await bytesOf(weights);
  const texts = await Promise.all((beside ?? []).map(async (file) => [file.name, await file.text()]));
  return inTurn(() => {
    report('model');
    return JSON.parse(engine.load(name, bytes, JSON.stringify({ ...options, beside: texts })));
  });
}

let canvas;

/** The pixels of what the page can draw. */
function pixelsOf(name, bitmap) {
  const { width, height } = bitmap;
  canvas ??= new OffscreenCanvas(width, height);
  Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  return Picture.of(name, width, height, new Uint8Array(data.buffer));
}

/** A picture for the engine, and what should be said of it. The engine's own decoders come first: they are exact. */
async function pictureOf(name, source) {
  if (source instanceof ImageBitmap) return [pixelsOf(name, source), []];
  if (source instanceof ImageData) {
    return [Picture.of(name, source.width, source.height, new Uint8Array(source.data.buffer)), []];
  }
  const bytes = new Uint8Array(await source.arrayBuffer());
  try {
    return [Picture.decode(name, bytes), []];
  } catch (error) {
    const how = { premultiplyAlpha: 'none', colorSpaceConversion: 'none' };
    const bitmap = await createImageBitmap(source, how).catch(() => { throw error; });
    return [pixelsOf(name, bitmap), [`decoded by the browser, because the engine's own decoder says: ${error.message}`]];
  }
}

/** An overlay that a page can draw without copying it. */
const bitmapOf = (rgba, [width, height]) =>
  createImageBitmap(new ImageData(new Uint8ClampedArray(rgba.buffer, rgba.byteOffset, rgba.length), width, height));

async function explain({ source, name, ...request }, number) {
  const [picture, remarks] = await pictureOf(name, source);
  const start = performance.now();
  const pending = await inTurn(() => {
    report('shaders');
    latest = undefined;
    return engine.submit(picture, JSON.stringify(request));
  });
  latest = number;
  report('computing');
  const answer = await pending.finish((done, total) => report('computing', done, total));
  const milliseconds = performance.now() - start;
  const { maps, ...rest } = JSON.parse(answer.text());
  const own = maps.map((map) => map.size);
  if (number === latest) sizes = own;
  const numbers = (size, values) => (size ? { height: size[0], width: size[1], values } : null);
  const overlays = await Promise.all(own.map((size, at) => bitmapOf(answer.overlay(at), size)));
  const filled = maps.map(({ size, raw, heatmap, ...map }, at) => ({
    ...map,
    raw: numbers(raw, answer.raw(at)),
    heatmap: numbers(heatmap, answer.heatmap(at)),
    overlay: overlays[at],
  }));
  const explanation = { ...rest, maps: filled, logits: answer.logits() ?? null, milliseconds };
  explanation.remarks = [...rest.remarks, ...remarks];
  [explanation.width, explanation.height] = own[0];
  answer.free();
  return explanation;
}

const redraw = ({ of, style }) =>
  inTurn(async () => {
    if (of !== latest) throw new Error('another picture was explained since, so this one cannot be redrawn');
    const rgba = await engine.redraw(JSON.stringify(style));
    let from = 0;
    const parts = sizes.map(([w, h]) => rgba.subarray(from, (from += w * h * 4)));
    return Promise.all(parts.map((part, at) => bitmapOf(part, sizes[at])));
  });

/** Tells of a lost device, although nobody asks for anything. While the engine is at work it tells by itself. */
function watch() {
  try {
    engine.check();
  } catch ({ name, message }) {
    if (name === 'DeviceLost') postMessage({ fallen: message });
  }
}

async function open({ device, model }) {
  report('engine');
  await init({ module_or_path: new URL('./gradcam_web_bg.wasm', import.meta.url) });
  report('device');
  engine = await Engine.open(JSON.stringify(device));
  setInterval(watch, 1000);
  return { device: JSON.parse(engine.device()), model: await load(model), names: JSON.parse(names()) };
}

const close = () => engine?.close();

const calls = { open, load, explain, redraw, close };

/** What goes to the page without being copied. */
const moved = (result) => (result?.maps ?? []).map((map) => map.overlay).concat(Array.isArray(result) ? result : []);

onmessage = async ({ data: { number, call, options } }) => {
  try {
    const result = await calls[call](options, number);
    postMessage({ number, result }, moved(result));
  } catch ({ name, message }) {
    postMessage({ number, error: { name, message } });
  }
  report('idle');
};

// The engine itself fell: whoever waits for it would wait for ever.
const fallen = (what) => postMessage({ fallen: `the engine failed: ${what}` });
addEventListener('error', (event) => fallen(event.message));
addEventListener('unhandledrejection', (event) => fallen(event.reason));
