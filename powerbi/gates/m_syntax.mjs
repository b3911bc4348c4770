// node m_syntax.mjs < expressions.json: parses each M expression with Microsoft's Power
// Query parser. In: {name: expression}. Out: {name: fault}, of those that are wrong.
import { text } from "node:stream/consumers";
import * as PowerQuery from "@microsoft/powerquery-parser";

const faults = {};
for (const [name, expression] of Object.entries(JSON.parse(await text(process.stdin)))) {
    const parsed = await PowerQuery.TaskUtils.tryLexParse(
        PowerQuery.DefaultSettings,
        expression,
    );
    if (!PowerQuery.TaskUtils.isParseStageOk(parsed)) {
        faults[name] = parsed.error?.message ?? "not M";
    }
}
console.log(JSON.stringify(faults));
