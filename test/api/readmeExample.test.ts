/** The example that the README promises to work: compiled as a user's strict program, and run to its end. */

import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import * as library from '../../src/index.js';
import { type Outcome, ROOT, startNode, temporaryFolder } from '../cli/nin.js';

const folder = await temporaryFolder();

/** The book's ten output shapes. */
const SHAPES = [
  ...['1x96x54x54', '1x96x26x26', '1x256x26x26', '1x256x12x12', '1x384x12x12', '1x384x5x5', '1x384x5x5'],
  ...['1x10x5x5', '1x10x1x1', '1x10'],
];

/** The TypeScript of a README: its complete example, and the shorter ones after it that go on from there. */
function examplesOf(markdown: string): [complete: string, ...fragments: string[]] {
  const section = markdown.slice(markdown.search(/^#+ .*(TypeScript|API)/m));
  const after = section.slice(section.indexOf('\n'));
  const [complete, ...fragments] = [...after.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);
  if (complete === undefined) throw new Error('The README has no example after its heading with TypeScript or API.');
  return [complete, ...fragments];
}

/** Compiles a program in the user's project, strictly. */
async function compile(name: string, code: string): Promise<Outcome> {
  const options = ['--strict', '--noUncheckedIndexedAccess', '--module', 'nodenext', '--target', 'es2022'];
  await writeFile(join(folder, `${name}.ts`), code);
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  return startNode([tsc, ...options, '--removeComments', '--types', 'node', `${name}.ts`], { cwd: folder }).outcome;
}

/** Outcomes by compiled program: the READMEs may have the same program, with comments in two languages. */
const outcomes = new Map<string, Promise<Outcome>>();

beforeAll(async () => {
  await mkdir(join(folder, 'node_modules'));
  await symlink(ROOT, join(folder, 'node_modules', 'nin-network-in-network'), 'dir');
  await symlink(join(ROOT, 'node_modules', '@types'), join(folder, 'node_modules', '@types'), 'dir');
  await writeFile(join(folder, 'package.json'), '{"type": "module"}');
});

describe.each(['README.md', 'README.zh-CN.md'])('%s', (readme) => {
  const path = join(ROOT, readme);
  const name = readme.replaceAll('.', '-');

  it('is there', () => expect(existsSync(path)).toBe(true));

  it('its example runs to the end and prints what it promises', async () => {
    const [complete] = examplesOf(await readFile(path, 'utf8'));
    expect(await compile(name, complete)).toEqual({ code: 0, stdout: '', stderr: '' });
    const program = await readFile(join(folder, `${name}.js`), 'utf8');
    if (!outcomes.has(program)) outcomes.set(program, startNode([`${name}.js`], { cwd: folder }).outcome);
    const { code, stdout, stderr } = (await outcomes.get(program)) as Outcome;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });

    const shapes = [...stdout.matchAll(/^\w+ output shape: +(\S+)$/gm)].map(([, shape]) => shape);
    expect(shapes).toEqual(SHAPES);
    expect(stdout).toMatch(/^training on (cpu|webgpu)$/m);
    const closing = stdout.match(
      /^loss \d\.\d{3}, train acc \d\.\d{3}, test acc (\d\.\d{3})\n[\d.]+ examples\/sec on \w+$/m,
    );
    expect(closing, stdout).not.toBeNull();
    // The last number it prints is the accuracy that training ended with.
    const last = Number(stdout.trimEnd().split(/\s/).at(-1));
    expect(last.toFixed(3)).toBe(closing?.[1]);
  }, 180_000);

  it('its shorter examples go on from there, and compile', async () => {
    const [complete, ...fragments] = examplesOf(await readFile(path, 'utf8'));
    for (const [i, fragment] of fragments.entries()) {
      const isNew = (used: string) =>
        fragment.match(new RegExp(`\\b${used}\\b`)) && !complete.match(new RegExp(`\\b${used}\\b`));
      const imports = `import { ${Object.keys(library).filter(isNew).join(', ')} } from 'nin-network-in-network';\n`;
      const code = complete + imports + fragment;
      expect(await compile(`${name}-${i}`, code)).toEqual({ code: 0, stdout: '', stderr: '' });
    }
  });
});
