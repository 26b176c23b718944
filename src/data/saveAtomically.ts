/**
 * A file that is either wholly there or not there at all: it is written beside its place under a name nobody else
 * uses, brought safely to the disk, and only then moved into place. Readers and other writers, also in other
 * processes, never see half of it; the last writer wins.
 */

import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Saves `bytes` at `path`, replacing what was there; makes the folders on the way.
 * @throws Node's own error (`ENOSPC`, `EACCES`, ...) where that fails; then nothing is left behind
 */
export async function saveAtomically(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Makes sure that a rename in a folder outlasts a power cut. Systems that cannot sync folders need no such call. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
