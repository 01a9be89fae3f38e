/** Fields that form the head of a text line. */
const HEAD = new Set(['time', 'level', 'msg']);

/**
 * A JSON log line as one line for people: time, level, message, then `key=value`. Stacks follow on lines of their own.
 * Any line that is not a JSON object stays as it is.
 */
export function formatText(line: string): string {
  const entry = parse(line);
  if (!entry) return line;
  const { time, level, msg } = entry;
  const head = `${plain(time)} ${plain(level).toUpperCase().padEnd(5)} ${plain(msg)}`;
  const stacks: string[] = [];
  const fields = Object.entries(entry)
    .filter(([name]) => !HEAD.has(name))
    .map(([name, value]) => ` ${name}=${quote(isError(value) ? summary(value, stacks) : value)}`);
  return `${[head + fields.join(''), ...stacks].join('\n')}\n`;
}

interface LoggedError {
  message: string;
  code?: unknown;
  stack?: unknown;
  cause?: unknown;
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isError(value: unknown): value is LoggedError {
  return typeof value === 'object' && value !== null && 'message' in value && 'name' in value;
}

/** `code: message: cause`; adds the stack to `stacks`. */
function summary(error: LoggedError, stacks: string[]): string {
  if (typeof error.stack === 'string') stacks.push(indent(error.stack));
  const own = typeof error.code === 'string' ? `${error.code}: ${error.message}` : error.message;
  return isError(error.cause) ? `${own}: ${summary(error.cause, stacks)}` : own;
}

function indent(stack: string): string {
  return stack
    .split('\n')
    .map((line) => `    ${line.trim()}`)
    .join('\n');
}

function plain(value: unknown): string {
  return typeof value === 'string' ? oneLine(value) : '';
}

function quote(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return typeof value === 'string' && /[\s"=]|^$/.test(text) ? JSON.stringify(text) : oneLine(text);
}

/** A message must not be able to forge a second line or move the cursor. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (char) => JSON.stringify(char).slice(1, -1));
}
