// What is done again and again takes no more memory.
import { Gradcam } from './gradcam.js';
import { check, log, memory, run, wait } from './test.js';

/** Mebibytes that may be added, of hundreds. */
const MOST = 50;

run(async () => {
  const photo = new File([await (await fetch('chelsea.png')).blob()], 'chelsea.png');
  const cam = await Gradcam.open();
  const layers = ['blocks.3', 'blocks.4', 'blocks.5'];
  let explanation = await cam.explain(photo);
  const close = () => explanation.maps.forEach((map) => map.overlay.close());
  const again = {
    photos: [100, async () => {
      close();
      explanation = await cam.explain(photo);
    }],
    'other styles': [100, (i) => explanation.redraw({ alpha: (i % 10) / 10 })],
    'other layers': [50, async (i) => {
      close();
      explanation = await cam.explain(photo, { layers: [layers[i % 3]] });
    }],
  };
  for (const [what, [times, work]] of Object.entries(again)) {
    // As often as it takes the browser to collect its own garbage for the first time.
    for (let i = 0; i < 2 * times; i++) await work(i);
    await wait(2000);
    const before = await memory();
    const start = performance.now();
    for (let i = 0; i < times; i++) await work(i);
    const each = (performance.now() - start) / times;
    await wait(2000);
    const grown = (await memory()) - before;
    await log(`${times} ${what}: ${grown} MiB more than ${before} MiB, ${each.toFixed(0)} ms each`);
    check(grown < MOST, `${what}: ${grown} MiB more`);
  }
});
