/**
 * One process at a time may train a run. The lock is a listening socket named after the run's folder: the operating
 * system takes it away with the process, however that ends, so a crash leaves no lock behind.
 */

import { createHash } from 'node:crypto';
import { realpathSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunError } from './runError.js';

/** Where the socket of a folder is. Linux and Windows have names for sockets that vanish with their owner. */
function socketName(folder: string): { name: string; isFile: boolean } {
  const id = `nin-run-${createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 32)}`;
  if (process.platform === 'linux') return { name: `\0${id}`, isFile: false };
  if (process.platform === 'win32') return { name: `\\\\.\\pipe\\${id}`, isFile: false };
  return { name: join(tmpdir(), `${id}.sock`), isFile: true };
}

function listen(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(undefined);
      else reject(error);
    });
    server.listen(name, () => resolve(server.unref()));
  });
}

/** Whether somebody answers at the socket; a file that a crash left does not. */
function isAnswered(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(name);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Whether a process trains the run in this folder now. */
export async function isLocked(folder: string): Promise<boolean> {
  return isAnswered(socketName(folder).name);
}

/**
 * Takes the lock of a run for this process.
 * @returns a function that gives it back
 * @throws RunError where another process has it
 */
export async function lockRun(folder: string): Promise<() => void> {
  const { name, isFile } = socketName(folder);
  let server = await listen(name);
  if (!server && isFile && !(await isAnswered(name))) {
    rmSync(name, { force: true });
    server = await listen(name);
  }
  const held = server;
  if (!held) throw new RunError(`The run in ${folder} is being trained by another process; wait for it or stop it.`);
  return () => held.close();
}
