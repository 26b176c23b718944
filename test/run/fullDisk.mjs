/**
 * Loaded before the command (`node --import`): from the checkpoint after `CHECKPOINTS_THAT_FIT` on, the disk takes the
 * first thousand bytes of each checkpoint and is full.
 */

import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { env } from 'node:process';

const open = promises.open;
let room = Number(env.CHECKPOINTS_THAT_FIT);

promises.open = async (path, ...options) => {
  const handle = await open(path, ...options);
  // The best checkpoint is written besides the last one.
  if (!/checkpoints.*\.tmp$/.test(`${path}`) || (!`${path}`.includes('best') && room-- > 0)) return handle;
  handle.writeFile = async (bytes) => {
    await handle.write(bytes.subarray(0, 1000));
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  };
  return handle;
};
syncBuiltinESMExports();
