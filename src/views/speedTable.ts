/** What a measurement of speed came to, and where the time of a training step goes, as text. */
import { Chalk, type ChalkInstance } from 'chalk';
import type { Graph, Value } from '../graph/graph.js';
import { operationsOf } from '../graph/operations.js';
import { bar } from './bar.js';
import { fixed } from './format.js';
import { numbers, plainTable, words } from './plainTable.js';

export interface Speed {
  readonly preset: string;
  readonly imageSize: readonly [height: number, width: number];
  readonly batchSize: number;
  readonly threads: number;
  readonly engine: string;
  /** Median examples a second. */
  readonly training: number;
  readonly evaluation: number;
  /** Examples a second of each step. */
  readonly trainingSteps: readonly number[];
  readonly evaluationSteps: readonly number[];
  /** Largest resident memory while training. */
  readonly peakMemoryBytes: number;
  /** Operations a second: those that plain algorithms would need for the training step, and those of large products. */
  readonly trainingOperations: number;
  readonly matmulOperations: number;
}

const giga = (operations: number) => fixed(operations / 1e9, 0);

/** A line for each figure. */
export function speedTable(speed: Speed, paint: ChalkInstance = new Chalk({ level: 0 })): string {
  const [height, width] = speed.imageSize;
  const spread = (rates: readonly number[]) => `${fixed(Math.min(...rates), 1)} to ${fixed(Math.max(...rates), 1)}`;
  const lines = plainTable(
    [words(''), numbers('examples/sec'), numbers('spread')],
    [
      ['training', paint.bold(fixed(speed.training, 1)), spread(speed.trainingSteps)],
      ['evaluation', paint.bold(fixed(speed.evaluation, 1)), spread(speed.evaluationSteps)],
    ],
  );
  const share = (100 * speed.trainingOperations) / speed.matmulOperations;
  return [
    `preset ${speed.preset} · ${height} × ${width} pixels · batch size ${speed.batchSize} · ${speed.engine} · ${speed.threads} threads`,
    '',
    ...lines,
    '',
    ` A training step is ${giga(speed.trainingOperations)} GFLOP/s counted by plain algorithms, ${fixed(share, 0)}% of the ` +
      `${giga(speed.matmulOperations)} GFLOP/s of large matrix products here.`,
    ` Largest memory while training: ${fixed(speed.peakMemoryBytes / 2 ** 30, 2)} GiB.`,
  ].join('\n');
}

/** Nodes that the table shows; the rest are one line. */
const SHOWN = 20;
const BAR = 20;

/** The nodes of a graph by the time they took. */
export function profileTable(
  graph: Graph,
  { nodes, other }: { readonly nodes: readonly number[]; readonly other: number },
  examples: number,
  paint: ChalkInstance = new Chalk({ level: 0 }),
): string {
  const total = nodes.reduce((sum, seconds) => sum + seconds, other);
  const longest = Math.max(...nodes);
  const shape = (value: Value | undefined) => value?.shape.join('×') ?? '';
  const figures = (seconds: number) => [
    fixed(seconds * 1000, 2),
    `${fixed((100 * seconds) / total, 1)}%`,
    bar(seconds / longest, BAR, paint.cyan, paint),
  ];
  const order = [...graph.nodes.keys()].sort((a, b) => (nodes[b] ?? 0) - (nodes[a] ?? 0));
  const rows = order.slice(0, SHOWN).map((i) => {
    const node = graph.nodes[i];
    const seconds = nodes[i] ?? 0;
    const operations = node === undefined ? 0 : operationsOf(node);
    const inputs = `${shape(node?.inputs[0])}  ${shape(node?.inputs[1])}`.trim();
    return [node?.operator ?? '', inputs, ...figures(seconds), operations === 0 ? '' : giga(operations / seconds)];
  });
  const rest = order.slice(SHOWN).reduce((sum, i) => sum + (nodes[i] ?? 0), 0);
  rows.push(['all other operators', '', ...figures(rest), '']);
  rows.push(['changes of layout by ONNX Runtime', '', ...figures(other), '']);
  const operations = graph.nodes.reduce((sum, node) => sum + operationsOf(node), 0);
  return [
    ...plainTable(
      [words('operator'), words('inputs'), numbers('ms'), numbers('share'), words(''), numbers('GFLOP/s')],
      rows,
    ),
    '',
    ` ${fixed(total * 1000, 1)} ms for ${examples} examples, forward and backward: ${fixed(examples / total, 1)} examples/sec, ` +
      `${giga(operations / total)} GFLOP/s.`,
    ' GFLOP/s count what the plain algorithm would compute; a cleverer one computes less and exceeds the machine.',
  ].join('\n');
}
