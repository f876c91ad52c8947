// Reads {schema, documents: [{fileName, contents}]} as JSON from standard input,
// validates the documents, and writes {valid, errors} to standard output.
import { text } from "node:stream/consumers";
import { memoryPages, validateXML } from "xmllint-wasm";

const { schema, documents } = JSON.parse(await text(process.stdin));
const { valid, errors } = await validateXML({ xml: documents, schema: [schema], maxMemoryPages: memoryPages.GiB });
process.stdout.write(JSON.stringify({ valid, errors: errors.map((e) => e.rawMessage) }));
