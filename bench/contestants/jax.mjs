/**
 * A rival: how fast jax-js trains and uses the same Network in Network on the same CPU, by its WebAssembly backend.
 *
 *     node bench/contestants/jax.mjs --resize 224 --batch-size 2 --steps 1
 *     node bench/contestants/jax.mjs --convolution lax --resize 96 --batch-size 1 --steps 1 --warm-up 0
 *     node bench/contestants/jax.mjs --infer --threads 1
 *
 * `--convolution lax` is the library's own operation. `matmul`, the default, lays the patches of the image out as a
 * matrix and multiplies, which this library does many times faster: the rival gets its best. For the same reason no
 * step is compiled by `jit`: it would fuse the laying out back into the product. `--threads 1` is the library as it is
 * in Node; more need webWorker.mjs. contest.mjs tells what is printed. Needs `npm ci --prefix bench`.
 */

import { contest } from './contest.mjs';
import { endThreads, offerThreads } from './webWorker.mjs';

await contest(
  async (options, batch) => {
    offerThreads(options.threads);
    const { prepare } = await import('./jaxNetwork.mjs');
    return prepare(options, batch);
  },
  { convolution: { type: 'string', default: 'matmul' } },
);
await endThreads();
