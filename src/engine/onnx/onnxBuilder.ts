/**
 * Writes an ONNX model node by node. Values are names. What is written twice, a constant or an operator on the same
 * inputs, is computed once: recipes need not know what their neighbours have already asked for.
 */

import { create, toBinary } from '@bufbuild/protobuf';
import type { DataType, Shape } from '../../graph/tensorType.js';
import type { DeviceType } from '../engine.js';
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProto_DataType,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './onnx_pb.js';

/** Files of this version are read by every ONNX Runtime that knows opset 17. */
const IR_VERSION = 8n;
/** The newest opset before ReduceMean and its like took their axes as inputs; WebGPU kernels know all of it. */
const OPSET = 17n;

const { FLOAT, UINT8, INT32, INT64 } = TensorProto_DataType;
const elementTypes: Record<DataType, TensorProto_DataType> = { float32: FLOAT, uint8: UINT8, int32: INT32 };

/** ONNX's numbers of the element types that `Cast` is asked for. */
export const OnnxType = { float: FLOAT, bool: TensorProto_DataType.BOOL } as const;

/** A whole number or a list of them, or a `{ float }`. */
export type OnnxAttribute = number | readonly number[] | { readonly float: number };

function attribute(name: string, value: OnnxAttribute): AttributeProto {
  if (typeof value === 'number') {
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) });
  }
  if ('float' in value) return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value.float });
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) });
}

function valueInfo(name: string, shape: Shape, dtype: DataType): ValueInfoProto {
  const dim = shape.map((length) => ({ dimValue: BigInt(length) }));
  return create(ValueInfoProtoSchema, {
    name,
    type: { tensorType: { elemType: elementTypes[dtype], shape: { dim } } },
  });
}

export class OnnxBuilder {
  readonly #nodes: NodeProto[] = [];
  /** The output of each node by its operator, inputs and attributes. */
  readonly #computed = new Map<string, string>();
  readonly #constants = new Map<string, TensorProto>();
  readonly #inputs: ValueInfoProto[] = [];
  readonly #outputs: ValueInfoProto[] = [];
  #nextName = 0;
  /** Prefix of the names of the nodes to come: which of our operators they belong to. */
  scope = '';

  /** @param device whose kernels the model is written for */
  constructor(readonly device: DeviceType) {}

  /** Declares a model input. */
  input(name: string, shape: Shape, dtype: DataType): void {
    this.#inputs.push(valueInfo(name, shape, dtype));
  }

  /** Makes a value a model output under this name. */
  output(name: string, value: string, shape: Shape): void {
    this.#nodes.push(create(NodeProtoSchema, { opType: 'Identity', input: [value], output: [name] }));
    this.#outputs.push(valueInfo(name, shape, 'float32'));
  }

  /** Applies an ONNX operator with one output. An absent optional input is `''`. */
  op(opType: string, inputs: readonly string[], attributes: Readonly<Record<string, OnnxAttribute>> = {}): string {
    const key = JSON.stringify([opType, inputs, attributes]);
    const known = this.#computed.get(key);
    if (known !== undefined) return known;
    const output = `v${this.#nextName++}`;
    this.#computed.set(key, output);
    this.#nodes.push(
      create(NodeProtoSchema, {
        opType,
        name: `${this.scope}/${opType}/${output}`,
        input: [...inputs],
        output: [output],
        attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      }),
    );
    return output;
  }

  /** A constant vector of 64-bit integers, as shapes, axes and pads are. */
  int64(values: readonly number[]): string {
    return this.#constant(INT64, [values.length], new BigInt64Array(values.map(BigInt)));
  }

  /** A constant vector of 32-bit integers. */
  int32(values: readonly number[], shape: Shape): string {
    return this.#constant(INT32, shape, Int32Array.from(values));
  }

  /** A constant tensor; a scalar where there is no shape. */
  float(values: number | Float32Array, shape: Shape = []): string {
    return this.#constant(FLOAT, shape, typeof values === 'number' ? Float32Array.of(values) : values);
  }

  reshape(x: string, shape: Shape): string {
    return this.op('Reshape', [x, this.int64(shape)]);
  }

  /**
   * Transposes a matrix of rows x columns, however its elements are shaped, into the given shape.
   * The leading 1 keeps ONNX Runtime from making a slow permutation of many axes of it.
   */
  transpose(x: string, rows: number, columns: number, shape: Shape): string {
    return this.reshape(this.op('Transpose', [this.reshape(x, [1, rows, columns])], { perm: [0, 2, 1] }), shape);
  }

  /** `x[starts[i] : ends[i] : steps[i]]` along each of the axes. */
  slice(
    x: string,
    axes: readonly number[],
    starts: readonly number[],
    ends: readonly number[],
    steps: readonly number[] = axes.map(() => 1),
  ): string {
    return this.op('Slice', [x, ...[starts, ends, axes, steps].map((values) => this.int64(values))]);
  }

  /** The finished model as the bytes of an .onnx file. */
  encode(): Uint8Array {
    const model = create(ModelProtoSchema, {
      irVersion: IR_VERSION,
      producerName: 'nin',
      opsetImport: [{ domain: '', version: OPSET }],
      graph: {
        name: 'graph',
        node: this.#nodes,
        initializer: [...this.#constants.values()],
        input: this.#inputs,
        output: this.#outputs,
      },
    });
    return toBinary(ModelProtoSchema, model);
  }

  #constant(dataType: TensorProto_DataType, shape: Shape, values: BigInt64Array | Int32Array | Float32Array): string {
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const key = `${dataType}:${shape.join('x')}:${values.join(',')}`;
    const known = this.#constants.get(key);
    if (known) return known.name;
    const name = `c${this.#constants.size}`;
    this.#constants.set(
      key,
      create(TensorProtoSchema, { name, dataType, dims: shape.map(BigInt), rawData: Uint8Array.from(rawData) }),
    );
    return name;
  }
}
