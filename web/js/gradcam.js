// Grad-CAM in a browser, see `gradcam.d.ts`. The engine runs in a worker; this module passes messages.

const thrown = ({ name, message }) => Object.assign(new Error(message), { name });

/** Whether it is of one of these kinds, of whatever frame. */
const is = (what, ...kinds) => kinds.includes(what?.[Symbol.toStringTag]);

/** A picture as it goes to the worker, and what moves there with it. */
async function sent(picture) {
  if (is(picture, 'Blob', 'File', 'ImageData')) return [picture, []];
  const bitmap = await createImageBitmap(picture, { premultiplyAlpha: 'none', colorSpaceConversion: 'none' });
  return [bitmap, [bitmap]];
}

/** The graphics adapter's name, as far as the browser tells it. */
async function adapter() {
  if (!Gradcam.supported) {
    throw new Error(isSecureContext ? 'this browser has no WebGPU' : 'WebGPU needs a page from https or from localhost');
  }
  const found = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!found) throw new Error('this browser has WebGPU, but finds no graphics adapter that it may use');
  const { vendor, architecture, description } = found.info;
  return description || [vendor, architecture].filter(Boolean).join(' ') || 'GPU';
}

const remembered = (name) => {
  try {
    return JSON.parse(localStorage.getItem(`gradcam ${name}`)) ?? {};
  } catch {
    return {}; // no storage, or not ours
  }
};

const remember = (name, verdicts) => {
  try {
    localStorage.setItem(`gradcam ${name}`, JSON.stringify(verdicts));
  } catch {
    // It will be measured again.
  }
};

class HeatMap {
  constructor(map) {
    Object.assign(this, map);
  }

  draw(canvas) {
    const { width, height } = this.overlay;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    canvas.getContext('2d').drawImage(this.overlay, 0, 0);
  }
}

class Explanation {
  #call;
  #number;

  constructor(explanation, number, call) {
    Object.assign(this, explanation);
    this.maps = explanation.maps.map((map) => new HeatMap(map));
    [this.#number, this.#call] = [number, call];
  }

  async redraw(style) {
    const overlays = await this.#call('redraw', { of: this.#number, style });
    overlays.forEach((overlay, at) => {
      this.maps[at].overlay.close();
      this.maps[at].overlay = overlay;
    });
  }

  file() {
    const header = {};
    const parts = [];
    let end = 0;
    const add = (name, shape, values) => {
      header[name] = { dtype: 'F32', shape, data_offsets: [end, (end += values.byteLength)] };
      parts.push(values);
    };
    if (this.logits) add('logits', [1, this.logits.length], this.logits);
    for (const kind of ['raw', 'heatmap']) {
      const maps = this.maps.map((map) => map[kind]).filter(Boolean);
      if (!maps.length) continue;
      const values = new Float32Array(maps.flatMap((map) => [...map.values]));
      add(kind === 'raw' ? 'cam' : kind, [1, maps.length, maps[0].height, maps[0].width], values);
    }
    const text = new TextEncoder().encode(JSON.stringify(header));
    const padded = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(32);
    padded.set(text);
    const length = new BigUint64Array([BigInt(padded.length)]);
    return new Blob([length, padded, ...parts], { type: 'application/octet-stream' });
  }
}

export class Gradcam {
  static supported = Boolean(globalThis.navigator?.gpu);
  static methods = [];
  static colormaps = [];

  #worker;
  #waiting = new Map();
  #sent = 0;
  #lose;
  #gone;

  constructor(onprogress) {
    this.lost = new Promise((resolve) => (this.#lose = resolve));
    this.#worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    this.#worker.onmessage = ({ data }) => {
      if (data.progress) return onprogress?.(data.progress);
      if (data.fallen) return this.#end(data.fallen);
      const { resolve, reject } = this.#waiting.get(data.number) ?? {};
      this.#waiting.delete(data.number);
      if (!data.error) return resolve?.(data.result);
      reject?.(thrown(data.error));
      if (data.error.name === 'DeviceLost') this.#end(data.error.message);
    };
    this.#worker.onerror = (event) => this.#end(`the engine cannot be loaded: ${event.message ?? 'no worker'}`);
  }

  static async open({ onprogress, variant, halfWeights, weights, ...model } = {}) {
    const name = await adapter();
    const cam = new Gradcam(onprogress);
    const device = { variant, half_weights: Boolean(halfWeights), verdicts: remembered(name) };
    try {
      const opened = await cam.#call('open', { device, model: { weights: place(weights), ...model } });
      const { verdicts, ...known } = opened.device;
      remember(name, verdicts);
      cam.device = { name, ...known };
      cam.model = opened.model;
      [Gradcam.methods, Gradcam.colormaps] = [opened.names.methods, opened.names.colormaps];
      return cam;
    } catch (error) {
      cam.#worker.terminate();
      throw error;
    }
  }

  async load({ weights, ...options }) {
    this.model = await this.#call('load', { weights: place(weights), ...options });
    return this.model;
  }

  async explain(picture, request = {}) {
    const [source, moved] = await sent(picture);
    const number = this.#sent;
    const options = { name: picture.name ?? 'picture', ...request, source };
    const explanation = await this.#call('explain', options, moved);
    return new Explanation(explanation, number, (...call) => this.#call(...call));
  }

  close() {
    this.#call('close').finally(() => this.#end('the engine was closed')).catch(() => {});
  }

  #call(call, options, moved = []) {
    if (this.#gone) return Promise.reject(new Error(this.#gone));
    const number = this.#sent++;
    this.#worker.postMessage({ number, call, options }, moved);
    return new Promise((resolve, reject) => this.#waiting.set(number, { resolve, reject }));
  }

  /** Nothing can be computed any more. */
  #end(reason) {
    this.#gone = reason;
    this.#waiting.forEach(({ reject }) => reject(new Error(reason)));
    this.#waiting.clear();
    this.#worker.terminate();
    this.#lose(reason);
  }
}

/** Weights as a file or a whole address. Those beside this module are the default. */
function place(weights = new URL('efficientnet_lite0.safetensors', besides)) {
  return is(weights, 'Blob', 'File') ? weights : new URL(weights, globalThis.document?.baseURI ?? besides).href;
}

const besides = import.meta.url;
