/**
 * Gives the built command many command lines in one process and prints what it answers to each, as JSON: starting Node
 * for each of them would take minutes. Only for command lines that end at once.
 */

import { argv, stderr, stdout } from 'node:process';
import { pathToFileURL } from 'node:url';

const [node, , main, commandLines] = argv;
const print = stdout.write.bind(stdout);
const outcomes = [];

for (const [index, args] of JSON.parse(commandLines).entries()) {
  const outcome = { code: 0, stdout: '', stderr: '' };
  stdout.write = (text) => {
    outcome.stdout += text;
    return true;
  };
  stderr.write = (text) => {
    outcome.stderr += text;
    return true;
  };
  // Those of the program before this one.
  for (const stream of [stdout, stderr]) stream.removeAllListeners('error');
  process.argv = [node, main, ...args];
  process.exitCode = undefined;
  // The module is the program: it runs when it is imported, and again under another address.
  await import(`${pathToFileURL(main)}?${index}`);
  outcome.code = process.exitCode ?? 0;
  outcomes.push(outcome);
}
process.exitCode = 0;
print(JSON.stringify(outcomes));
