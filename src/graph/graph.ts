/**
 * The graph: what is to be computed, written down before anything is computed.
 *
 * A graph is a list of nodes in an order in which they can run. A node applies one operator (operators.ts) to values
 * and gives new values; a value knows its shape, its data type and the node that makes it, and nothing else. Shapes
 * are static: whoever builds a graph learns of a misfit at once, and an engine can plan everything beforehand.
 */

import { type Attributes, GraphError, inferShapes, type OperatorName } from './operators.js';
import type { DataType, Shape, TensorType } from './tensorType.js';

/** One tensor in a graph. Made by `Graph.input` and `Graph.apply` only. */
export class Value implements TensorType {
  constructor(
    readonly graph: Graph,
    readonly id: number,
    readonly shape: Shape,
    readonly dtype: DataType,
    /** The name of a graph input; absent for computed values. */
    readonly inputName?: string,
  ) {}
}

/** One application of an operator. */
export interface Node<Name extends OperatorName = OperatorName> {
  readonly operator: Name;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes<Name>;
  readonly outputs: readonly Value[];
}

/** A computation from named inputs to named outputs. */
export class Graph {
  readonly inputs = new Map<string, Value>();
  readonly nodes: Node[] = [];
  readonly outputs = new Map<string, Value>();
  #nextId = 0;

  /**
   * Declares an input of the graph.
   * @throws GraphError where the name is taken
   */
  input(name: string, shape: Shape, dtype: DataType = 'float32'): Value {
    if (this.inputs.has(name)) throw new GraphError(`The graph already has an input named "${name}".`);
    const value = new Value(this, this.#nextId++, [...shape], dtype, name);
    this.inputs.set(name, value);
    return value;
  }

  /**
   * Applies an operator and returns its outputs. Most callers use the functions of build.ts, which say what each
   * operator takes.
   * @throws GraphError where the shapes or data types do not fit the operator
   */
  apply<Name extends OperatorName>(operator: Name, inputs: readonly Value[], attributes: Attributes<Name>): Value[] {
    const foreign = inputs.find((value) => value.graph !== this);
    if (foreign) throw new GraphError(`${operator}: input %${foreign.id} belongs to another graph.`);
    const outputs = inferShapes(operator, inputs, attributes).map(
      ({ shape, dtype }) => new Value(this, this.#nextId++, shape, dtype),
    );
    this.nodes.push({ operator, inputs, attributes, outputs });
    return outputs;
  }

  /**
   * Makes a value an output of the graph.
   * @throws GraphError where the name is taken
   */
  output(name: string, value: Value): void {
    if (this.outputs.has(name)) throw new GraphError(`The graph already has an output named "${name}".`);
    this.outputs.set(name, value);
  }

  /** The graph in text, one node a line, as a person would read it. */
  toString(): string {
    const type = (value: TensorType) => `${value.dtype}[${value.shape.join('x')}]`;
    const ref = (value: Value) => (value.inputName === undefined ? `%${value.id}` : `$${value.inputName}`);
    const inputs = [...this.inputs.values()].map((value) => `input $${value.inputName}: ${type(value)}`);
    const nodes = this.nodes.map((node) => {
      const outputs = node.outputs.map((value) => `%${value.id}: ${type(value)}`).join(', ');
      const attributes = Object.entries(node.attributes).map(
        ([key, value]) => `, ${key}=${typeof value === 'number' ? value : JSON.stringify(value)}`,
      );
      return `${outputs} = ${node.operator}(${node.inputs.map(ref).join(', ')}${attributes.join('')})`;
    });
    const outputs = [...this.outputs].map(([name, value]) => `output ${name}: ${ref(value)}`);
    return [...inputs, ...nodes, ...outputs].join('\n');
  }
}
