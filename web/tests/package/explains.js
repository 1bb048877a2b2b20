// What a program that installed the packages does.
import { check, log, run } from './test.js';

export const explains = (Gradcam, weights) =>
  run(async () => {
    const cam = await Gradcam.open({ weights });
    const photo = new Image();
    photo.src = '/chelsea.png';
    await photo.decode();
    const { maps: [map] } = await cam.explain(photo);
    const canvas = document.createElement('canvas');
    map.draw(canvas);
    check(map.prediction.label === 'tiger cat' && canvas.width === 451, `${map.prediction.label}, ${canvas.width} wide`);
    await log(`${map.prediction.label} ${map.prediction.probability}`);
  });
