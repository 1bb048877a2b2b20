// What a visitor brings: files and camera frames.

const PICTURE = /\.(png|jpe?g|webp|gif|bmp|tiff?|avif|heic|p[bgnp]m|qoi|tga|svg)$/i;
const WEIGHTS = /\.(safetensors|pth|pt|ckpt|bin|onnx)$/i;

/** Tells models and pictures apart. What is neither counts as a picture: the engine's error says best what is wrong. */
export function sorted(files) {
  const pictures = files.filter(file => file.type.startsWith('image/') || PICTURE.test(file.name));
  const weights = files.filter(file => WEIGHTS.test(file.name));
  if (!weights.length) return { picture: pictures[0] ?? files[0] };
  // An ONNX file may have its numbers in a .bin beside it.
  const main = weights.find(file => /\.onnx$/i.test(file.name)) ?? weights[0];
  const beside = files.filter(file => file !== main && !pictures.includes(file));
  return { picture: pictures[0], model: { weights: main, beside } };
}

/** Calls `take` with files that are dropped on the page or pasted. */
export function onFiles(stage, take) {
  const over = is => stage.classList.toggle('over', is);
  addEventListener('dragover', event => {
    event.preventDefault();
    over(event.dataTransfer.types.includes('Files'));
  });
  addEventListener('dragleave', event => event.relatedTarget || over(false));
  addEventListener('drop', event => {
    event.preventDefault();
    over(false);
    take([...event.dataTransfer.files]);
  });
  addEventListener('paste', event => {
    const files = [...event.clipboardData.files];
    if (files.length) take(files);
  });
}

/** Makes `opener` open the dialog of the file input. */
export function onChoice(opener, input, take) {
  opener.addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    const files = [...input.files];
    // Else choosing the same file again would be no change.
    input.value = '';
    if (files.length) take(files);
  });
}

const SHORT_SIDE = 288;

function small(video) {
  const scale = SHORT_SIDE / Math.min(video.videoWidth, video.videoHeight);
  const canvas = new OffscreenCanvas(Math.round(video.videoWidth * scale), Math.round(video.videoHeight * scale));
  canvas.getContext('2d').drawImage(video, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** Calls `take` with the newest frame, as a canvas. Two calls are on their way at most. Returns a function that ends it. */
export async function openCamera(video, take, ended) {
  const wanted = { video: { facingMode: 'environment', width: { ideal: 640 } } };
  const stream = await navigator.mediaDevices.getUserMedia(wanted);
  let open = true;
  let flying = 0;
  const next = async () => {
    if (!open) return;
    video.requestVideoFrameCallback(next);
    if (flying === 2) return;
    flying += 1;
    await take(small(video));
    flying -= 1;
  };
  video.srcObject = stream;
  stream.getVideoTracks()[0].addEventListener('ended', ended);
  video.requestVideoFrameCallback(next);
  return () => {
    open = false;
    stream.getTracks().forEach(track => track.stop());
    video.srcObject = null;
  };
}
