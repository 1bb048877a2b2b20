// The engine in every variant that the browser allows, beside the program's own numbers.
import { Gradcam } from './gradcam.js';
import { apart, check, log, run, tensors } from './test.js';

run(async (asked) => {
  const expected = await tensors('native.safetensors');
  const photo = new File([await (await fetch('chelsea.png')).blob()], 'chelsea.png');
  const start = performance.now();
  const first = await Gradcam.open();
  const variants = asked.get('variants')?.split(',') ?? first.device.variants;
  await log(`${first.device.name}, ${first.device.variant} of ${first.device.variants}, opened in ${Math.round(performance.now() - start)} ms`);
  first.close();
  for (const variant of variants) {
    const cam = await Gradcam.open({ variant });
    const began = performance.now();
    const explanation = await cam.explain(photo, { tensors: true });
    const took = Math.round(performance.now() - began);
    const [map] = explanation.maps;
    check(map.prediction.label === 'tiger cat', `${variant}: ${map.prediction.label}`);
    const differences = {
      logits: [apart(explanation.logits, expected.logits), 1e-5],
      cam: [apart(map.raw.values, expected.cam), 1e-4],
      heatmap: [apart(map.heatmap.values, expected.heatmap), 1e-4],
    };
    for (const [what, [found, most]] of Object.entries(differences)) {
      check(found <= most, `${variant}: ${what} differ by ${found}`);
    }
    const again = await cam.explain(photo, { tensors: true });
    check(apart(again.maps[0].heatmap.values, map.heatmap.values) === 0, `${variant}: another map the second time`);
    const times = [];
    for (const start = performance.now(); times.length < 7 && performance.now() - start < 15_000; ) {
      times.push((await cam.explain(photo)).milliseconds);
    }
    times.sort((a, b) => a - b);
    const figures = Object.entries(differences).map(([what, [found]]) => `${what} ${found.toExponential(1)}`);
    await log(`${variant}: ${figures.join(', ')}; first ${took} ms, then ${times[times.length >> 1].toFixed(0)} ms`);
    cam.close();
  }
});
