// Without WebGPU the page says which browsers have it.
import { Gradcam } from './gradcam.js';
import { check, log, reason, run, shoot, wait } from './test.js';

run(async () => {
  const why = await reason(Gradcam.open());
  check(/WebGPU/.test(why), why);
  const page = document.querySelector('iframe');
  const help = () => page.contentDocument.getElementById('help');
  for (let i = 0; i < 500 && !(help()?.offsetHeight > 0); i++) await wait(20);
  check(help().offsetHeight > 0 && /Firefox/.test(help().textContent), 'the page helps');
  await log(why);
  await shoot('none-1280.png');
});
