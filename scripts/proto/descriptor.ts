/**
 * The descriptor of a `.proto` file: what the generator reads instead of the text. The parser is the one that the gRPC
 * library brings along; of the language it covers what our files use (messages, enums, services, proto3).
 *
 * @module
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type DescriptorProtoSchema,
  type EnumDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  type FieldDescriptorProtoSchema,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  type ServiceDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import { createRequire } from "node:module";

/** The parts of the parser's result that are used here. */
interface Parsed {
  readonly name: string;
  readonly fullName: string;
  readonly nestedArray?: readonly Parsed[];
  readonly fieldsArray?: readonly ParsedField[];
  readonly values?: Readonly<Record<string, number>>;
  readonly methodsArray?: readonly ParsedMethod[];
}

interface ParsedField {
  readonly name: string;
  readonly id: number;
  readonly type: string;
  readonly repeated: boolean;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly resolvedType: Parsed | null;
}

interface ParsedMethod {
  readonly name: string;
  readonly resolvedRequestType: Parsed;
  readonly resolvedResponseType: Parsed;
  readonly requestStream?: boolean;
  readonly responseStream?: boolean;
}

interface Parser {
  parse(text: string, options: { keepCase: boolean }): {
    readonly package: string;
    readonly root: { resolveAll(): void; lookup(path: string): Parsed };
  };
}

const SCALARS: Readonly<Record<string, Type>> = {
  string: Type.STRING,
  bool: Type.BOOL,
  int32: Type.INT32,
  int64: Type.INT64,
  double: Type.DOUBLE,
};

/** The descriptor of the file `name` with this text. */
export function describe(name: string, text: string): FileDescriptorProto {
  const { package: packageName, root } = parser().parse(text, { keepCase: true });
  root.resolveAll();
  const parts = root.lookup(packageName).nestedArray ?? [];
  return create(FileDescriptorProtoSchema, {
    name,
    package: packageName,
    syntax: "proto3",
    messageType: parts.filter(({ fieldsArray }) => fieldsArray !== undefined).map(message),
    service: parts.filter(({ methodsArray }) => methodsArray !== undefined).map(service),
  });
}

function parser(): Parser {
  const grpc = createRequire(createRequire(import.meta.url).resolve("@grpc/grpc-js"));
  return createRequire(grpc.resolve("@grpc/proto-loader"))("protobufjs") as Parser;
}

function message(part: Parsed): MessageInitShape<typeof DescriptorProtoSchema> {
  const optional = (part.fieldsArray ?? []).filter(isOptional);
  return {
    name: part.name,
    field: (part.fieldsArray ?? []).map((of) => field(of, optional.indexOf(of))),
    // Each optional field is a choice of its own.
    oneofDecl: optional.map((of) => ({ name: `_${of.name}` })),
    enumType: (part.nestedArray ?? []).filter(({ values }) => values !== undefined).map(enumeration),
  };
}

function isOptional({ options }: ParsedField): boolean {
  return options?.proto3_optional === true;
}

function field(of: ParsedField, choice: number): MessageInitShape<typeof FieldDescriptorProtoSchema> {
  return {
    name: of.name,
    jsonName: of.name,
    number: of.id,
    label: of.repeated ? Label.REPEATED : Label.OPTIONAL,
    type: typeOf(of),
    ...(of.resolvedType === null ? {} : { typeName: of.resolvedType.fullName }),
    ...(choice === -1 ? {} : { oneofIndex: choice, proto3Optional: true }),
  };
}

function typeOf({ type, resolvedType }: ParsedField): Type {
  if (resolvedType !== null) return resolvedType.values === undefined ? Type.MESSAGE : Type.ENUM;
  const scalar = SCALARS[type];
  if (scalar === undefined) throw new Error(`The type ${type} is not known to scripts/proto/descriptor.ts`);
  return scalar;
}

function enumeration({ name, values = {} }: Parsed): MessageInitShape<typeof EnumDescriptorProtoSchema> {
  return { name, value: Object.entries(values).map(([name, number]) => ({ name, number })) };
}

function service({ name, methodsArray = [] }: Parsed): MessageInitShape<typeof ServiceDescriptorProtoSchema> {
  return {
    name,
    method: methodsArray.map((method) => ({
      name: method.name,
      inputType: method.resolvedRequestType.fullName,
      outputType: method.resolvedResponseType.fullName,
      clientStreaming: method.requestStream === true,
      serverStreaming: method.responseStream === true,
    })),
  };
}
