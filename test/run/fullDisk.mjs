/**
 * Loaded before the command (`node --import`), it makes a disk that is full at some time: it takes as many checkpoints
 * as `CHECKPOINTS_THAT_FIT` says and of each later one the first thousand bytes, and as many bytes of the record of
 * events as `EVENT_BYTES_THAT_FIT` says. Without these there is room.
 */

import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { env } from 'node:process';

const { open } = promises;
const { openSync, writeSync } = fs;
let room = Number(env.CHECKPOINTS_THAT_FIT ?? Number.POSITIVE_INFINITY);
let eventRoom = Number(env.EVENT_BYTES_THAT_FIT ?? Number.POSITIVE_INFINITY);
let record;

const full = () => Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });

promises.open = async (path, ...options) => {
  const handle = await open(path, ...options);
  // The best checkpoint is written besides the last one.
  if (!/checkpoints.*\.tmp$/.test(`${path}`) || (!`${path}`.includes('best') && room-- > 0)) return handle;
  handle.writeFile = async (bytes) => {
    await handle.write(bytes.subarray(0, 1000));
    throw full();
  };
  return handle;
};
fs.openSync = (path, ...options) => {
  const descriptor = openSync(path, ...options);
  if (`${path}`.endsWith('events.jsonl')) record = descriptor;
  return descriptor;
};
fs.writeSync = (descriptor, bytes, offset) => {
  if (descriptor !== record) return writeSync(descriptor, bytes, offset);
  if (eventRoom === 0) throw full();
  const written = writeSync(descriptor, bytes, offset, Math.min(bytes.length - offset, eventRoom));
  eventRoom -= written;
  return written;
};
syncBuiltinESMExports();
