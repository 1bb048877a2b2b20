// What the test pages share: they say to the server how it goes.

const post = (path, body = '') => fetch(path, { method: 'POST', body }).then((answer) => answer.text());

export const log = (text) => post('/log', text);
/** Mebibytes of the whole browser. */
export const memory = async () => +(await post('/ask/memory'));
/** Takes the graphics device away. Returns whether this browser can. */
export const lose = async () => (await post('/ask/loss')) === 'true';
/** Takes a picture of the page. */
export const shoot = (name) => post(`/ask/${name}`);
export const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const failures = [];

/** Says what does not hold. */
export function check(holds, what) {
  if (!holds) {
    failures.push(what);
    log(`FAILED ${what}`);
  }
}

/** The reason of a promise that should fail. */
export const reason = (promise) => promise.then(() => 'nothing failed', (error) => error.message);

/** The greatest difference, as a part of the greatest magnitude of what is expected. */
export function apart(found, expected) {
  check(found.length === expected.length, `${found.length} numbers instead of ${expected.length}`);
  const magnitude = expected.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  return found.reduce((most, v, i) => Math.max(most, Math.abs(v - expected[i])), 0) / magnitude;
}

/** The tensors of a safetensors file. */
export async function tensors(address) {
  const bytes = await (await fetch(address)).arrayBuffer();
  const length = Number(new BigUint64Array(bytes.slice(0, 8))[0]);
  const header = JSON.parse(new TextDecoder().decode(bytes.slice(8, 8 + length)));
  const values = ({ data_offsets: [from, to] }) => new Float32Array(bytes.slice(8 + length + from, 8 + length + to));
  const numbers = Object.entries(header).filter(([, { dtype }]) => dtype === 'F32');
  return Object.fromEntries(numbers.map(([name, tensor]) => [name, values(tensor)]));
}

/** Runs a test, and tells the server how it ended. */
export async function run(test) {
  addEventListener('error', (event) => check(false, `uncaught: ${event.message}`));
  addEventListener('unhandledrejection', (event) => check(false, `uncaught: ${event.reason?.stack ?? event.reason}`));
  try {
    await test(new URLSearchParams(location.search));
  } catch (error) {
    check(false, `${error.message} ${error.stack}`);
  }
  await post('/done', failures.join('; '));
}
