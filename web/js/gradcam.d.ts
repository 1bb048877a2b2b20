/**
 * Grad-CAM in a browser: which pixels made the network say that? Networks run in WebGPU on the visitor's own machine, in a
 * worker. Nothing leaves the page.
 *
 * ```js
 * import { Gradcam } from 'gradcam';
 * const cam = await Gradcam.open();
 * const { maps } = await cam.explain(file);
 * maps[0].draw(canvas);
 * ```
 */

/** What can be explained. A video gives the frame that it shows. A `Blob` is a picture file. */
export type Picture =
  | Blob
  | ImageData
  | ImageBitmap
  | OffscreenCanvas
  | VideoFrame
  | HTMLImageElement
  | HTMLCanvasElement
  | HTMLVideoElement;

/** Which model to explain. */
export interface ModelOptions {
  /**
   * A weights file: an address or the file. `.safetensors`, `torch.save` or ONNX; the architecture is recognised. Without it
   * the EfficientNet-Lite0 beside the module is fetched.
   */
  weights?: string | URL | Blob;
  /** Files that belong to the weights: `config.json`, `preprocessor_config.json`. */
  beside?: File[];
  /** The architecture's name in torchvision or timm, where the weights leave a choice. */
  architecture?: string;
  /** Names of the classes, in order. */
  labels?: string[];
}

/** How to open the engine. */
export interface OpenOptions extends ModelOptions {
  /** The kernel variant, one of {@link Device.variants}. Without it the fastest one is measured at the first visit. */
  variant?: string;
  /** Store weights as f16: half the memory, at the price of their last bits. */
  halfWeights?: boolean;
  /** Learns what is going on. */
  onprogress?: (progress: Progress) => void;
}

/** What is going on, and how far it is, where that is known. */
export interface Progress {
  /** Fetching the engine and the weights; reading the model; opening the device; preparing shaders; computing. */
  stage: 'engine' | 'weights' | 'model' | 'device' | 'shaders' | 'computing' | 'idle';
  /** Bytes of weights, or parts of a computation. */
  done?: number;
  total?: number;
}

/** A layer, or another module, that can be explained at. */
export interface Layer {
  /** Module path, as in PyTorch. */
  path: string;
  channels: number;
  height: number;
  width: number;
}

/** The model that is explained. */
export interface Model {
  /** The weights file's name. */
  name: string;
  architecture: string;
  /** One line: how photos are prepared, what scores mean, and who said so. */
  description: string;
  /** What was assumed. Show these lines. */
  remarks: string[];
  /** Names of the classes, in order. */
  labels: string[];
  /** Height and width of the network's input. */
  size: [number, number];
  channels: number;
  /** The path that is explained at unless another is chosen. */
  layer: string;
  /** From the input to the output. */
  layers: Layer[];
}

/** The graphics device. */
export interface Device {
  /** What the browser says of it, such as "nvidia ampere". */
  name: string;
  /** Whether it is a program on the CPU. */
  software: boolean;
  /** The kernel variant in use. */
  variant: string;
  /** All that the device can run. */
  variants: string[];
}

/** Colours of an overlay. */
export interface Style {
  /** Opacity, 0 to 1. 0.5 without it. */
  alpha?: number;
  /** One of {@link Gradcam.colormaps}. `jet` without it. */
  colormap?: string;
}

/** What to explain, and how. */
export interface Request {
  /** Classes by number or name. Without it the most probable `top` ones. */
  classes?: (number | string)[];
  /** 1 without it. */
  top?: number;
  /** How many of the most probable classes to name. 5 without it. */
  predictions?: number;
  /** Module paths. Maps of several are fused. Without it the model's own layer. */
  layers?: string[];
  /** Names of {@link Gradcam.methods}. `gradcam` without it. */
  methods?: string[];
  /** Also show what speaks against the class: maps are in -1..1. */
  signed?: boolean;
  style?: Style;
  /** Also return numbers: logits, raw maps and heat maps. */
  tensors?: boolean;
  /** The picture's name in errors and files. A `File` has its own. */
  name?: string;
}

export interface Prediction {
  class: number;
  label: string;
  /** Score before softmax. */
  logit: number;
  /** Null if the scores mean no probability. */
  probability: number | null;
}

/** Numbers with rows and columns, row by row. */
export interface Numbers {
  height: number;
  width: number;
  values: Float32Array;
}

/** Why the network chose a class. */
export interface HeatMap {
  prediction: Prediction;
  method: string;
  /** What should be said of the map, such as that no pixel speaks for the class. */
  remark: string | null;
  /** The photo under the map's colours, at the photo's size. */
  overlay: ImageBitmap;
  /** At the layer's size, signed and unscaled. With `tensors`, and one layer. */
  raw: Numbers | null;
  /** At the input's size. With `tensors`. */
  heatmap: Numbers | null;
  /** Draws the overlay, and gives the canvas its size. */
  draw(canvas: HTMLCanvasElement | OffscreenCanvas): void;
}

/** One picture explained. */
export interface Explanation {
  /** The most probable classes, best first. */
  predictions: Prediction[];
  /** Class by class, each by every method. */
  maps: HeatMap[];
  /** The picture's size. */
  width: number;
  height: number;
  /** The part of the picture that the network saw: left, top, width, height in its pixels. */
  crop: [number, number, number, number];
  /** What should be said of the picture. */
  remarks: string[];
  /** With `tensors`. */
  logits: Float32Array | null;
  /** Shader dispatches, bytes read back, and bytes of memory on the device. */
  stats: { dispatches: number; readback_bytes: number; gpu_bytes: number };
  /** From the pixels to the overlay. */
  milliseconds: number;
  /**
   * Draws the overlays in another style: one dispatch each, from the maps that are still on the device. Only the latest
   * explanation can be redrawn.
   */
  redraw(style: Style): Promise<void>;
  /** A `.safetensors` file of the numbers, with `tensors`. */
  file(): Blob;
}

/** An open engine with a model. Calls wait for their turn. */
export class Gradcam {
  /** Whether the browser has WebGPU. */
  static readonly supported: boolean;
  /** Names of methods, once an engine was opened. */
  static readonly methods: string[];
  /** Names of colour maps, once an engine was opened. */
  static readonly colormaps: string[];
  /** Fetches the engine and a model, and opens the graphics device. Rejects with one line. */
  static open(options?: OpenOptions): Promise<Gradcam>;
  readonly device: Device;
  readonly model: Model;
  /** Settles with the reason when the device is lost. Then open another engine. */
  readonly lost: Promise<string>;
  /** Explains another model from now on. On an error the old one stays. */
  load(options: ModelOptions): Promise<Model>;
  /** Explains a picture. Rejects with one line. */
  explain(picture: Picture, request?: Request): Promise<Explanation>;
  /** Frees the device and all memory. */
  close(): void;
}
