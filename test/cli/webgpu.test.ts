/**
 * WebGPU, through SwiftShader: a Vulkan driver that computes on the CPU and comes with Chromium. It is slow, but what
 * it computes is what a graphics card would, so it shows whether training on WebGPU is right on machines without one.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { expectOneSentence, jsonLine, nin, startNode, TINY, temporaryFolder } from './nin.js';

const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';
const hasSwiftShader = existsSync(SWIFTSHADER);
const withSwiftShader = { VK_ICD_FILENAMES: SWIFTSHADER, XDG_RUNTIME_DIR: '/tmp' };

const folder = await temporaryFolder();

/** Losses and gradient norms of a run's steps. */
interface Run {
  readonly device: string;
  readonly steps: readonly (readonly [loss: number, gradientNorm: number])[];
}
type Runs = Readonly<Record<'cpu' | 'webgpu', Readonly<Record<'plain' | 'normalised', Run>>>>;

it('SwiftShader is there, where no test may be skipped', () => {
  expect(hasSwiftShader || !process.env.CI, `${SWIFTSHADER} comes with Debian's package chromium`).toBe(true);
});

describe.skipIf(!hasSwiftShader)('with SwiftShader', () => {
  it('training on WebGPU takes the same steps as on the CPU', async () => {
    const script = fileURLToPath(new URL('webgpuTraining.mjs', import.meta.url));
    const { code, stdout, stderr } = await startNode([script], { env: withSwiftShader }).outcome;
    expect(code, stderr).toBe(0);
    const runs = JSON.parse(stdout) as Runs;
    for (const [name, steps] of [
      ['plain', 4],
      ['normalised', 3],
    ] as const) {
      const [cpu, webgpu] = [runs.cpu[name], runs.webgpu[name]];
      expect([cpu.device, webgpu.device]).toEqual(['cpu', 'webgpu']);
      expect([cpu.steps.length, webgpu.steps.length]).toEqual([steps, steps]);
      // Steps that change nothing would agree too.
      expect(new Set(cpu.steps.map(([loss]) => loss)).size).toBe(steps);
      for (const [i, [loss, gradientNorm]] of cpu.steps.entries()) {
        const [webgpuLoss = Number.NaN, webgpuNorm = Number.NaN] = webgpu.steps[i] ?? [];
        expect(Math.abs(webgpuLoss / loss - 1), `${name}, step ${i + 1}: loss`).toBeLessThan(1e-4);
        expect(Math.abs(webgpuNorm / gradientNorm - 1), `${name}, step ${i + 1}: gradients`).toBeLessThan(1e-3);
      }
    }
    // Clipping must have had something to clip.
    for (const [, gradientNorm] of runs.cpu.normalised.steps) expect(gradientNorm).toBeGreaterThan(0.1);
  }, 120_000);

  it('--device auto never picks a software adapter', async () => {
    const options = ['--max-steps', '1', '--test-examples', '0', '--device', 'auto', '--json'];
    const { code, stdout, stderr } = await nin([...TINY, ...options, '--out', join(folder, 'auto')], {
      env: withSwiftShader,
    });
    expect(code, stderr).toBe(0);
    expect(jsonLine(stdout)).toMatchObject({ device: 'cpu' });
  });
});

// Vulkan is the way to WebGPU on Linux only.
it.skipIf(process.platform !== 'linux')('--device webgpu without an adapter says what is missing', async () => {
  const nowhere = join(folder, 'no-driver.json');
  const outcome = await nin([...TINY, '--device', 'webgpu', '--json', '--out', join(folder, 'webgpu')], {
    env: { VK_ICD_FILENAMES: nowhere, VK_DRIVER_FILES: nowhere },
  });
  // Dawn's own warnings may come before the sentence.
  const sentence = outcome.stderr.slice(outcome.stderr.indexOf('nin: '));
  expectOneSentence({ ...outcome, stderr: sentence });
  expect(sentence).toBe(
    'nin: The device webgpu is not there: ONNX Runtime found no graphics adapter. It needs a graphics card and its ' +
      'driver (on Linux Vulkan: libvulkan.so.1 and a driver for the card); use --device cpu to train without one.\n',
  );
  expect(existsSync(join(folder, 'webgpu'))).toBe(false);
});
