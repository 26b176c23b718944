/**
 * One gradient rule per operator: given a node and the gradient of the loss for its output, the gradients for its
 * inputs. A rule is asked only for the inputs whose gradient is needed: the first convolution's image is not.
 *
 * An operator without a rule is not differentiable here: gradients, updates and what prepares the input.
 */

import * as build from '../graph/build.js';
import type { Node, Value } from '../graph/graph.js';
import type { Attributes, OperatorName } from '../graph/operators.js';

/** What a rule knows of its node. `needs[i]` tells whether the gradient of input i is wanted. */
export interface RuleContext<Name extends OperatorName> {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes<Name>;
  readonly needs: readonly boolean[];
}

type Gradients = (Value | undefined)[];
type Rule<Name extends OperatorName> = (dy: Value, context: RuleContext<Name>) => Gradients;

/** The value at a place where the operator's shape inference has made sure there is one. */
function at(values: readonly Value[], index: number): Value {
  const value = values[index];
  if (!value) throw new RangeError(`A gradient rule asked for value ${index} of ${values.length}.`);
  return value;
}

const rules: { [Name in OperatorName]?: Rule<Name> } = {
  affine: (dy, { attributes, needs }) => [needs[0] ? build.affine(dy, attributes.scale, 0) : undefined],

  conv2d: (dy, { inputs, attributes, needs }) => {
    const x = at(inputs, 0);
    const weight = at(inputs, 1);
    const [, , inputHeight = 0, inputWidth = 0] = x.shape;
    const [, , kernelHeight = 0, kernelWidth = 0] = weight.shape;
    return [
      needs[0] ? build.conv2dInputGrad(dy, weight, { ...attributes, inputHeight, inputWidth }) : undefined,
      needs[1] ? build.conv2dWeightGrad(x, dy, { ...attributes, kernelHeight, kernelWidth }) : undefined,
      needs[2] ? build.sumPerChannel(dy) : undefined,
    ];
  },

  relu: (dy, { outputs }) => [build.reluGrad(at(outputs, 0), dy)],

  maxPool2d: (dy, { inputs, outputs, attributes }) => [
    build.maxPool2dGrad(at(inputs, 0), at(outputs, 0), dy, attributes),
  ],

  adaptiveAvgPool2d: (dy, { inputs }) => {
    const [, , height = 0, width = 0] = at(inputs, 0).shape;
    return [build.adaptiveAvgPool2dGrad(dy, height, width)];
  },

  batchNorm2d: (dy, { inputs, outputs, attributes }) =>
    build.batchNorm2dGrad(at(inputs, 0), dy, at(inputs, 1), at(outputs, 1), at(outputs, 2), attributes.epsilon),

  reshape: (dy, { inputs }) => [build.reshape(dy, at(inputs, 0).shape)],

  matmul: (dy, { inputs, attributes: { transposeA, transposeB }, needs }) => {
    const a = at(inputs, 0);
    const b = at(inputs, 1);
    const da = transposeA ? () => build.matmul(b, dy, transposeB, true) : () => build.matmul(dy, b, false, !transposeB);
    const db = transposeB ? () => build.matmul(dy, a, true, transposeA) : () => build.matmul(a, dy, !transposeA, false);
    return [needs[0] ? da() : undefined, needs[1] ? db() : undefined];
  },

  addBias: (dy, { needs }) => [needs[0] ? dy : undefined, needs[1] ? build.sumPerChannel(dy) : undefined],

  add: (dy, { needs }) => [needs[0] ? dy : undefined, needs[1] ? dy : undefined],

  multiply: (dy, { inputs, needs }) => [
    needs[0] ? build.multiply(dy, at(inputs, 1)) : undefined,
    needs[1] ? build.multiply(dy, at(inputs, 0)) : undefined,
  ],
};

/** Gradients for a node's inputs, or undefined where the operator has no rule. */
export function applyRule(node: Node, dy: Value, needs: readonly boolean[]): Gradients | undefined {
  // The table pairs each name with a rule for that name; TypeScript cannot follow the pairing through an index.
  const rule = rules[node.operator] as Rule<OperatorName> | undefined;
  return rule?.(dy, { inputs: node.inputs, outputs: node.outputs, attributes: node.attributes, needs });
}
