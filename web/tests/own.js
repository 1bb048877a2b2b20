// Dropped weights files, beside the program's own numbers for the same files.
import { Gradcam } from './gradcam.js';
import { apart, check, log, reason, run, tensors } from './test.js';

const fetched = async (address, name = address) => new File([await (await fetch(address)).blob()], name);

run(async () => {
  const photo = await fetched('chelsea.png');
  const cam = await Gradcam.open();
  for (const name of ['resnet18', 'densenet121']) {
    const expected = await tensors(`${name}.native.safetensors`);
    const start = performance.now();
    const model = await cam.load({ weights: await fetched(`${name}.safetensors`) });
    check(model.architecture === name, `${name} is taken for ${model.architecture}`);
    const { maps: [map], logits } = await cam.explain(photo, { tensors: true });
    const took = Math.round(performance.now() - start);
    const found = { logits: apart(logits, expected.logits), heatmap: apart(map.heatmap.values, expected.heatmap) };
    for (const [what, by] of Object.entries(found)) check(by <= 1e-5, `${name}: ${what} differ by ${by}`);
    const { milliseconds } = await cam.explain(photo);
    await log(`${name}: logits ${found.logits.toExponential(1)}, heat map ${found.heatmap.toExponential(1)}, first map after ${took} ms, then ${Math.round(milliseconds)} ms`);
  }
  // Files beside the weights are followed, and what cannot be is said.
  const config = new File([JSON.stringify({ architecture: 'resnet18', label_names: [...Array(1000).keys()].map((n) => `thing ${n}`) })], 'config.json');
  const other = new File(['?'], 'notes.md');
  const model = await cam.load({ weights: await fetched('resnet18.safetensors'), beside: [config, other] });
  check(model.labels[7] === 'thing 7', `labels are ${model.labels[7]}`);
  check(model.remarks.some((line) => line.includes('notes.md')), `remarks: ${model.remarks}`);
  // A file that is wrong leaves the model that there was.
  const wrong = await reason(cam.load({ weights: config }));
  check(/config\.json: is a JSON file/.test(wrong), wrong);
  check((await cam.explain(photo, { classes: ['thing 7'] })).maps[0].prediction.class === 7, 'the old model is still there');
  for (const [request, expected] of [
    [{ classes: ['no such thing'] }, /unknown class/],
    [{ classes: [1000] }, /classes are 0 to 999/],
    [{ layers: ['layer5'] }, /unknown layer 'layer5'; did you mean layer/],
    [{ methods: ['gradcan'] }, /unknown method 'gradcan'; did you mean gradcam/],
    [{ style: { alpha: 2 } }, /alpha is 2/],
    [{ stile: {} }, /unknown field `stile`/],
  ]) {
    const why = await reason(cam.explain(photo, request));
    check(expected.test(why) && !/gradcam layers|--help/.test(why), `${JSON.stringify(request)}: ${why}`);
  }
  // Calls during a call wait for their turn; only the latest can be redrawn.
  const [first, second] = await Promise.all([cam.explain(photo), cam.explain(photo, { classes: [3] })]);
  check(second.maps[0].prediction.class === 3 && first.maps[0].prediction.class !== 3, 'two calls at once');
  await second.redraw({ alpha: 1 });
  check(/another picture/.test(await reason(first.redraw({ alpha: 1 }))), 'an old one is redrawn');
  cam.close();
  check(/closed/.test(await cam.lost), 'closing is no loss');
  check(/closed/.test(await reason(cam.explain(photo))), 'a closed one explains');
});
