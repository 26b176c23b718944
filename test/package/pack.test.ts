/**
 * The package as it would be published: `npm pack` in a copy of the repository that was never built, and the tarball
 * unpacked into an empty project. Without a registry, the dependencies are links to those installed here.
 */

import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { ROOT, startNode, temporaryFolder } from '../cli/nin.js';

const run = promisify(execFile);
const NAME = 'nin-network-in-network';
const folder = await temporaryFolder();
/** The user's project. */
const project = join(folder, 'project');
const installed = join(project, 'node_modules', NAME);

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

let files: string[];
let manifest: Manifest;

/** Links a package installed here into the user's project. */
async function link(name: string): Promise<void> {
  const path = join(project, 'node_modules', name);
  await mkdir(dirname(path), { recursive: true });
  await symlink(join(ROOT, 'node_modules', name), path, 'dir');
}

beforeAll(async () => {
  const copy = join(folder, 'copy');
  const absent = new Set(['node_modules', 'dist', 'runs', '.git'].map((name) => join(ROOT, name)));
  await cp(ROOT, copy, { recursive: true, filter: (path) => !absent.has(path) });
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'dir');
  const { stdout } = await run('npm', ['pack', '--json', '--no-update-notifier', '--pack-destination', folder], {
    cwd: copy,
  });
  const reports: unknown = JSON.parse(stdout.slice(stdout.search(/^[[{]/m)));
  // npm 12 names each package, older ones list them.
  const [report] = Object.values(reports as object) as [{ filename: string; files: { path: string }[] }];
  files = report.files.map(({ path }) => path);
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', join(folder, report.filename), '--strip-components=1', '-C', installed]);
  manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as Manifest;
  await Promise.all(Object.keys(manifest.dependencies).map(link));
  await writeFile(join(project, 'package.json'), '{"type": "module"}');
}, 120_000);

it('has what a user needs and nothing else', async () => {
  for (const path of ['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js']) {
    expect(files).toContain(path);
  }
  expect(files.filter((path) => path.startsWith('datasets/fashion-mnist/') && path.endsWith('.gz'))).toHaveLength(4);
  const top = new Set(files.map((path) => path.split('/')[0]));
  for (const path of top) expect(path).toMatch(/^(dist|datasets|package\.json|README(\.[\w-]+)?\.md|LICENSE)$/);
  expect(files.filter((path) => /\.(test|bench)\.|tsbuildinfo|(^|\/)(test|bench|runs)\//.test(path))).toEqual([]);
  // Each built file belongs to a source, and each source is built.
  const sources = (await readdir(join(ROOT, 'src'), { recursive: true })).filter((path) => path.endsWith('.ts'));
  const built = files.filter((path) => path.startsWith('dist/') && path.endsWith('.js'));
  expect(built.sort()).toEqual(sources.map((path) => `dist/${path.slice(0, -3)}.js`).sort());
});

it('its command runs', async () => {
  const main = join(installed, 'dist', 'cli', 'main.js');
  const summary = await startNode([main, 'summary'], { cwd: project }).outcome;
  expect(summary).toMatchObject({ code: 0, stderr: '' });
  expect(summary.stdout).toContain('1,992,166 parameters');
  const version = await startNode([main, '--version'], { cwd: project }).outcome;
  expect(version.stdout).toBe(`${manifest.version}\n`);
  expect(await readFile(main, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
});

it('trains for a program that imports it, on the data that it brings', async () => {
  await writeFile(
    join(project, 'trains.js'),
    `import { conv2d, adaptiveAvgPool2d, flatten, loadDataFashionMnist, nin, parameterCount, sequential, trainCh6 } from '${NAME}';
     console.log(parameterCount(nin()));
     const [trainIter, testIter] = await loadDataFashionMnist({ batchSize: 32, trainExamples: 64, testExamples: 10 });
     const net = sequential(conv2d(1, 10, 3), adaptiveAvgPool2d([1, 1]), flatten());
     const { steps, testAccuracy } = await trainCh6(net, trainIter, testIter, 1, 0.1, 'cpu');
     console.log(JSON.stringify({ steps, isTested: testAccuracy !== null }));`,
  );
  const { code, stdout, stderr } = await startNode(['trains.js'], { cwd: project }).outcome;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^1992166\n/);
  expect(stdout).toMatch(/\n\{"steps":2,"isTested":true\}\n$/);
});

it('has types that a strict TypeScript program can use, and that refuse mistakes', async () => {
  await Promise.all(['@types/node', 'undici-types'].map(link));
  await writeFile(
    join(project, 'uses.ts'),
    `import { Animator, type Layer, loadDataFashionMnist, nin, stateDict, summary, train, type TrainingEvent, trainCh6, type TrainingResult } from '${NAME}';
     const [trainIter, testIter] = await loadDataFashionMnist({ batchSize: 128, resize: 224 });
     const net = nin({ batchNorm: true });
     const first: Layer | undefined = [...net][0];
     const result: TrainingResult = await trainCh6(net, trainIter, testIter, 10, 0.1);
     const accuracy: number | null = result.testAccuracy;
     const animator = new Animator({ xlabel: 'epoch' });
     for await (const event of train(net, trainIter, testIter, { epochs: 1, schedule: 'oneCycle' })) {
       const known: TrainingEvent = event;
       if (known.type === 'epoch') animator.add(known.epoch, [known.trainLoss, known.testAccuracy]);
     }
     const weights: Float32Array | undefined = stateDict(net).get('0.0.weight')?.data;
     console.log(first?.type, accuracy, animator.toText(), weights?.length, summary(net, [1, 1, 224, 224]).parameters);
     // @ts-expect-error: the batch size is not optional
     await loadDataFashionMnist({ resize: 224 });
     // @ts-expect-error: there is no such schedule
     train(net, trainIter, testIter, { schedule: 'sometimes' });
     // @ts-expect-error: there is no such device
     await trainCh6(net, trainIter, testIter, 10, 0.1, 'cuda:0');
    `,
  );
  const compilerOptions = {
    strict: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    module: 'nodenext',
    target: 'es2022',
    types: ['node'],
    noEmit: true,
  };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['uses.ts'] }));
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const { code, stdout } = await startNode([tsc, '-p', '.'], { cwd: project }).outcome;
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
});
