/** One request, as the API server recorded it. */
export interface AuditEvent {
  verb: string;
  user: string;
  /** `group/resource` or `resource`, with a subresource after another slash. */
  resource: string;
  namespace: string;
  name: string;
  code: number;
}

interface RawEvent {
  verb?: string;
  user?: { username?: string };
  objectRef?: {
    resource?: string;
    subresource?: string;
    apiGroup?: string;
    namespace?: string;
    name?: string;
  };
  responseStatus?: { code?: number };
}

/** Reads an audit log. Its last line may be unfinished. */
export function auditEvents(log: string): AuditEvent[] {
  return log.split('\n').flatMap((line) => {
    let raw: RawEvent;
    try {
      raw = JSON.parse(line) as RawEvent;
    } catch {
      return [];
    }
    const { resource = '', subresource, apiGroup, namespace = '', name = '' } = raw.objectRef ?? {};
    return [
      {
        verb: raw.verb ?? '',
        user: raw.user?.username ?? '',
        resource: [apiGroup, resource, subresource]
          .filter((part) => part !== undefined && part !== '')
          .join('/'),
        namespace,
        name,
        code: raw.responseStatus?.code ?? 0,
      },
    ];
  });
}
